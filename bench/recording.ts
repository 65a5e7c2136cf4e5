import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type TrundleEvent } from '../src/events/index.ts';
import { createHeader, createRecorder } from '../src/trace/index.ts';
import { type BenchRow, best } from './row.ts';

const EVENTS = 300_000;
const TARGET = 250_000;
const BATCH = 64 * 1024;

/** How many events a second the recorder takes, against bare JSON.stringify and batched writes. */
export async function rows(): Promise<BenchRow[]> {
  const place = mkdtempSync(join(tmpdir(), 'trundle-bench-'));
  try {
    const events = Array.from({ length: 1000 }, (_, index) => typicalEvent(index + 1));
    let round = 0;
    const ours = await best(5, () => perSecond(() => record(join(place, `trace${round++}`), events, [])));
    const secret = await best(3, () =>
      perSecond(() => record(join(place, `trace${round++}`), events, ['correct horse battery'])),
    );
    const reference = await best(5, () => perSecond(() => write(join(place, `bare${round++}`), events)));
    const row = (figure: string, figureOurs: number): BenchRow => ({
      figure,
      ours: figureOurs,
      reference,
      unit: 'events/s',
      ratio: figureOurs / reference,
      target: `>= ${TARGET} events/s`,
      met: figureOurs >= TARGET,
    });
    return [row('record events', ours), row('record events, hiding a secret', secret)];
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
