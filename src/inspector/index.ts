export { inspectTraces } from './inspectTraces.ts';
export { type InspectSystemOptions, inspectSystem, type SystemInspector } from './observe.ts';
export { exportReport } from './report.ts';
export { sendToStately } from './sendToStately.ts';
export type { ServedPage } from './server.ts';
