export {
  type DecisionLine,
  type Owner,
  type Recorder,
  TRACE_VERSION,
  type TraceHeader,
  type TraceLine,
} from './contract.ts';
export { createHeader, type Liveness, livenessOf, thisProcess } from './owner.ts';
export { type ReadOptions, readTrace, type Trace, type TraceEnd } from './readTrace.ts';
export {
  createRecorder,
  type FileRecorder,
  type RecorderCounts,
  RecorderError,
  type RecorderOptions,
} from './recorder.ts';
export { TraceError, type TraceErrorCode, type TracePlace } from './TraceError.ts';
