export { type DecisionLine, type Recorder, TRACE_VERSION, type TraceHeader, type TraceLine } from './contract.ts';
export {
  createRecorder,
  type FileRecorder,
  type RecorderCounts,
  RecorderError,
  type RecorderOptions,
} from './recorder.ts';
export { TraceError, type TraceErrorCode, type TracePlace } from './TraceError.ts';
