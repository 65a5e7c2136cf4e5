import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createMachines, type Reaction } from '../../../src/machines/index.ts';
import { readTrace } from '../../../src/trace/readTrace.ts';
import { replay } from '../../../src/trace/replay.ts';
import { simulate } from '../../support/simulation/simulate.ts';
import { HEADER, temporaryDirectory } from './support/trace.ts';

const RUNS = 500;

function linesOf(event: unknown, { decisions }: Reaction): string {
  const short = decisions.map(({ seq, machine, state, commands }) =>
    JSON.stringify({ d: seq, m: machine, s: state, ...(commands.length === 0 ? {} : { c: commands }) }),
  );
  return [JSON.stringify(event), ...short, ''].join('\n');
}

test(`${RUNS} generated runs are replayed to the same bytes`, { timeout: 240_000 }, async () => {
  const place = temporaryDirectory();
  let events = 0;
  for (let seed = 1; seed <= RUNS; seed++) {
    let random = seed;
    const choices = Array.from({ length: 20 + (seed % 60) }, () => (random = (random * 48_271) % 2_147_483_647));
    const run = simulate({ choices, chaos: seed % 4 === 0, finale: seed % 3 === 0 ? 'silent' : 'answering' });
    const recorded = run.events.map((event, index) => linesOf(event, run.reactions[index] as Reaction)).join('');
    const machines = createMachines();
    const replayed = run.events.map((event) => linesOf(event, machines.accept(event))).join('');
    expect(replayed === recorded, `run ${seed}`).toBe(true);
    const directory = join(place, String(seed));
    mkdirSync(directory);
    writeFileSync(join(directory, 'events.jsonl'), `${JSON.stringify(HEADER)}\n${recorded}`);
    expect(await replay(await readTrace(directory), { createMachines }), `run ${seed}`).toMatchObject({ same: true });
    events += run.events.length;
  }
  expect(events).toBeGreaterThan(RUNS * 20);
});
