export {
  type DecisionLine,
  type Owner,
  type Recorder,
  TRACE_VERSION,
  type TraceHeader,
  type TraceLine,
} from './contract.ts';
export { CAUSES, type CauseGuide } from './explain/causes.ts';
export { describeEvent } from './explain/describeEvent.ts';
export { type Explanation, explain, type ToldEvent } from './explain/explain.ts';
export { renderExplanation } from './explain/renderExplanation.ts';
export { causeOf, isEvent, type Resource, resourcesLeft, type TestRecord, testsOf } from './folds.ts';
export { createHeader, type Liveness, livenessOf, thisProcess } from './owner.ts';
export { type ReadOptions, readTrace, type Trace, type TraceEnd } from './readTrace.ts';
export { type LeftResource, type ReapedRun, type ReapOptions, reap } from './reap/reap.ts';
export {
  createRecorder,
  type FileRecorder,
  type RecorderCounts,
  RecorderError,
  type RecorderOptions,
} from './recorder.ts';
export { Redactor } from './redactor.ts';
export {
  defaultTraceDirectory,
  type Environment,
  type KnownRun,
  listRuns,
  pruneRuns,
  registerRun,
  runsDirectory,
} from './registry.ts';
export { type DifferentReplay, type Replay, type ReplayOptions, replay, type SameReplay } from './replay.ts';
export { TraceError, type TraceErrorCode, type TracePlace } from './TraceError.ts';
