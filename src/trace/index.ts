export { compare } from './compare/compare.ts';
export type { Comparison } from './compare/contract.ts';
export { renderComparison } from './compare/renderComparison.ts';
export type {
  Recorder,
  TraceLine,
} from './contract.ts';
export { CAUSES } from './explain/causes.ts';
export { describeEvent } from './explain/describeEvent.ts';
export { type Explanation, explain, type ToldEvent } from './explain/explain.ts';
export { renderExplanation } from './explain/renderExplanation.ts';
export { foldSettled, isEvent, resourcesLeft } from './folds.ts';
export { type Expected, expectationOf, type GateResult, gate, tracesBelow } from './gate.ts';
export { minimise } from './minimise.ts';
export { createHeader, livenessOf } from './owner.ts';
export { parseInsertion } from './parseEdit.ts';
export { readTrace } from './readTrace.ts';
export { type ReapedRun, reap } from './reap/reap.ts';
export {
  createRecorder,
  type FileRecorder,
  RecorderError,
} from './recorder.ts';
export type { Cue, RecordedCommand, RecordedTestbed, RecordedVerb } from './recording/contract.ts';
export { readRecording } from './recording/readRecording.ts';
export { hiding, Redactor } from './redactor.ts';
export {
  defaultTraceDirectory,
  type KnownRun,
  listRuns,
  pruneRuns,
  registerRun,
  runsDirectory,
  settleRun,
} from './registry.ts';
export { renderSlice, renderWhatIf } from './renderWhatIf.ts';
export { type DifferentReplay, type Replay, replay, type SameReplay } from './replay.ts';
export { foldStage } from './stage.ts';
export { TraceError } from './TraceError.ts';
export { type Edit, EditError, whatIf } from './whatIf.ts';
export { writeSlice } from './writeSlice.ts';
