/** What of this room needs no Node: for a page in a browser that folds a trace by itself. */
export type { DecisionLine, TraceHeader, TraceLine } from './contract.ts';
export { CAUSES } from './explain/causes.ts';
export { DEADLINE_NOTES } from './explain/deadlines.ts';
export { describeEvent } from './explain/describeEvent.ts';
export { causeWords, duration, shellLine } from './explain/words.ts';
export { foldTests, type TestRecord } from './folds.ts';
export { foldStage, type Stage } from './stage.ts';
