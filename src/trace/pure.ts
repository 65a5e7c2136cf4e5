/** What of this room needs no Node: for a page in a browser that folds a trace by itself. */
export type { Comparison, Parting, ValueDifference } from './compare/contract.ts';
export type { DecisionLine, TraceHeader, TraceLine } from './contract.ts';
export { CAUSES } from './explain/causes.ts';
export { DEADLINE_NOTES } from './explain/deadlines.ts';
export { describeEvent } from './explain/describeEvent.ts';
export { shellLine } from './explain/words.ts';
export { foldStage } from './stage.ts';
