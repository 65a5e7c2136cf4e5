export type { Entry, SessionProcess, StandIn } from './contract.ts';
export { createStandIn, type StandInOptions } from './createStandIn.ts';
export { hostEntry } from './hostEntry.ts';
