import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type TrundleEvent } from '../src/events/index.ts';
import { createHeader, createRecorder } from '../src/trace/index.ts';
import { type BenchOptions, byTurns } from './options.ts';
import type { BenchRow } from './row.ts';

const EVENTS = 300_000;
const TARGET = 250_000;
const BATCH = 64 * 1024;

/** How many events a second the recorder takes, against bare JSON.stringify and batched writes. */
export async function rows({ quick }: BenchOptions): Promise<BenchRow[]> {
  const place = mkdtempSync(join(tmpdir(), 'trundle-bench-'));
  try {
    const events = Array.from({ length: 1000 }, (_, index) => typicalEvent(index + 1));
    let round = 0;
    const bare = async () => perSecond(() => write(join(place, `bare${round++}`), events));
    const recorded = async (secrets: readonly string[]) =>
      perSecond(() => record(join(place, `trace${round++}`), events, secrets));
    const row = async (figure: string, secrets: readonly string[]): Promise<BenchRow> => {
      const { ours, reference } = await byTurns(quick ? 1 : 5, () => recorded(secrets), bare);
      const [ratio, met] = [ours / reference, ours >= TARGET];
      return { figure, ours, reference, unit: 'events/s', ratio, target: `>= ${TARGET} events/s`, met };
    };
    return [await row('record events', []), await row('record events, hiding a secret', ['correct horse battery'])];
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** About 160 bytes as JSON. */
function typicalEvent(seq: number): TrundleEvent {
  return {
    ...{ v: 1, seq, at: seq / 1000, run: '0123456789', testbed: 'tb1', from: 'driver' },
    ...{ type: 'command.output', command: `tb1.x${seq}`, stream: 'stdout', offset: seq * 300, bytes: 300 },
  } as TrundleEvent;
}

function record(directory: string, events: readonly TrundleEvent[], secrets: readonly string[]): void {
  const recorder = createRecorder({
    directory,
    header: createHeader({ run: '0123456789', trundle: 'bench', now: new Date() }),
    clock: systemClock,
    onError: (error) => {
      throw error;
    },
  });
  recorder.redact(secrets);
  for (let count = 0; count < EVENTS; count++) recorder.event(events[count % events.length] as TrundleEvent);
  recorder.close();
}

function write(file: string, events: readonly TrundleEvent[]): void {
  const fd = openSync(file, 'a');
  let batch = '';
  for (let count = 0; count < EVENTS; count++) {
    batch += `${JSON.stringify(events[count % events.length])}\n`;
    if (batch.length >= BATCH) {
      writeSync(fd, batch);
      batch = '';
    }
  }
  writeSync(fd, batch);
  closeSync(fd);
}

function perSecond(work: () => void): number {
  const start = performance.now();
  work();
  return EVENTS / ((performance.now() - start) / 1000);
}
