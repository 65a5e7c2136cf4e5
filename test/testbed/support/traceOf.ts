import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrundleEvent } from '../../../src/events/index.ts';
import { isEvent, readTrace } from '../../../src/trace/index.ts';

/** The events of a trace, in its order. */
export async function eventsOf(trace: string): Promise<TrundleEvent[]> {
  const events: TrundleEvent[] = [];
  for await (const line of (await readTrace(trace, { validate: true })).lines()) if (isEvent(line)) events.push(line);
  return events;
}

/** All bytes of a trace: its events and its streams. */
export function bytesOf(trace: string): string {
  const entries = readdirSync(trace, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1')).join('\n');
}
