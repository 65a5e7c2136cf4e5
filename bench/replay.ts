import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assign, createActor, setup } from 'xstate';
import { systemClock, type TrundleEvent } from '../src/events/index.ts';
import { createMachines } from '../src/machines/index.ts';
import { createHeader, createRecorder, readTrace, replay } from '../src/trace/index.ts';
import { scriptedRun } from '../test/support/scriptedRun.ts';
import { type BenchOptions, byTurns } from './options.ts';
import type { BenchRow } from './row.ts';

const TARGET = 0.8;

/** How many recorded events a second a replay proves, against bare JSON.parse and actor.send. */
export async function rows({ quick }: BenchOptions): Promise<BenchRow[]> {
  const place = mkdtempSync(join(tmpdir(), 'trundle-bench-'));
  try {
    const directory = join(place, 'trace');
    const recorder = createRecorder({
      directory,
      header: createHeader({ run: 'bench', trundle: 'bench', now: new Date() }),
      clock: systemClock,
      onError: (error) => {
        throw error;
      },
    });
    scriptedRun({ recorder, clock: systemClock, commands: quick ? 200 : 2000, chunks: 20 });
    recorder.close();
    const file = join(directory, 'events.jsonl');
    const row = async (figure: string, bare: () => Promise<number>): Promise<BenchRow> => {
      const { ours, reference } = await byTurns(quick ? 3 : 7, () => proved(directory), bare);
      const ratio = ours / reference;
      return { figure, ours, reference, unit: 'events/s', ratio, target: `>= ${TARGET} x`, met: ratio >= TARGET };
    };
    return [
      await row('replay, against the same machines bare', async () => parsedAndSent(file, machines())),
      await row('replay, against a machine that counts', async () => parsedAndSent(file, counter())),
    ];
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function proved(directory: string): Promise<number> {
  const start = performance.now();
  const result = await replay(await readTrace(directory), { createMachines });
  if (!result.same) throw new Error(`the replay differs at event ${result.at}`);
  return result.events / ((performance.now() - start) / 1000);
}

const counting = setup({ types: { context: {} as { count: number } } }).createMachine({
  context: { count: 0 },
  on: { '*': { actions: assign({ count: ({ context }) => context.count + 1 }) } },
});

/** Takes an event, and says nothing of what it made of it. */
type Send = (event: TrundleEvent) => void;

/** What a replay that checks nothing would have to do. */
function machines(): Send {
  const { accept } = createMachines();
  return (event) => void accept(event);
}

/** One transition of one machine for each event: what XState itself costs. A replay asks several machines. */
function counter(): Send {
  const actor = createActor(counting).start();
  return (event) => actor.send(event);
}

function parsedAndSent(file: string, send: Send): number {
  const start = performance.now();
  let events = 0;
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n').slice(1)) {
    const value = JSON.parse(line);
    if (!('seq' in value)) continue;
    send(value);
    events++;
  }
  return events / ((performance.now() - start) / 1000);
}
