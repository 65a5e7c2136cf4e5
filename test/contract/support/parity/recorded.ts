import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Report } from './differences.ts';

/** Where it is kept. */
export const RECORDED = fileURLToPath(new URL('report.json', import.meta.url));

/** What every backend showed when that was last recorded. */
export function recordedReport(): Report {
  return existsSync(RECORDED) ? (JSON.parse(readFileSync(RECORDED, 'utf8')) as Report) : {};
}

/** Whether what is seen now shall be recorded (`TRUNDLE_PARITY=record`) instead of compared. */
export const recording = process.env.TRUNDLE_PARITY === 'record';

/** Records what one backend shows, in the order of the registry. */
export function record(backend: string, views: Report[string], order: readonly string[]): void {
  const all = { ...recordedReport(), [backend]: views };
  const kept = order.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]] as const]));
  writeFileSync(RECORDED, `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`);
}
