export type { Comparison, PageInfo } from './contract.ts';
export { type InspectOptions, inspectTraces } from './inspectTraces.ts';
export { type ServedPage, servePage } from './server.ts';
