import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assign, createActor, setup } from 'xstate';
import { systemClock } from '../src/events/index.ts';
import { createMachines } from '../src/machines/index.ts';
import { createHeader, createRecorder, readTrace, replay } from '../src/trace/index.ts';
import { scriptedRun } from '../test/support/scriptedRun.ts';
import { type BenchRow, best } from './row.ts';

const TARGET = 0.8;

/** How many recorded events a second a replay proves, against bare JSON.parse and one transition of one machine. */
export async function rows(): Promise<BenchRow[]> {
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
    scriptedRun({ recorder, clock: systemClock, commands: 2000, chunks: 20 });
    recorder.close();
    const ours = await best(5, () => proved(directory));
    const reference = await best(5, () => parsedAndSent(join(directory, 'events.jsonl')));
    const ratio = ours / reference;
    return [
      {
        figure: 'replay a trace',
        ours,
        reference,
        unit: 'events/s',
        ratio,
        target: `>= ${TARGET} x`,
        met: ratio >= TARGET,
      },
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

function parsedAndSent(file: string): number {
  const start = performance.now();
  const actor = createActor(counting).start();
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n').slice(1)) {
    const value = JSON.parse(line);
    if ('seq' in value) actor.send(value);
  }
  return actor.getSnapshot().context.count / ((performance.now() - start) / 1000);
}
