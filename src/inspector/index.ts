export { inspectTraces } from './inspectTraces.ts';
export { exportReport } from './report.ts';
export type { ServedPage } from './server.ts';
