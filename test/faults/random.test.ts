import { randomInt } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configureBackend } from '../../src/backends/index.ts';
import { VERSION } from '../../src/events/index.ts';
import { createRun, TestbedError } from '../../src/testbed/index.ts';
import { processesWith } from '../contract/support/marks.ts';
import { EventLog } from '../support/eventLog.ts';
import { IMAGE_PATIENCE } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { Draw } from './support/random/draw.ts';
import { type Fault, KINDS } from './support/random/kinds.ts';
import { PLACES, type Place } from './support/random/places.ts';
import { expectSoundTrace } from './support/soundness.ts';

/**
 * The faults of the seed that stands in the names of the tests: the same ones each time, so that a failure can be looked
 * at. TRUNDLE_FAULT_SEED takes another seed, or `any`.
 */
const given = process.env.TRUNDLE_FAULT_SEED ?? '7';
const seed = given === 'any' ? randomInt(2 ** 31) : Number(given);

interface Drawn {
  readonly number: number;
  readonly kind: string;
  readonly fault: Fault;
  readonly what: string;
}

for (const [index, place] of PLACES.entries()) {
  describeWith(place.needs, `random faults of ${place.name}, seed ${seed}`, () => {
    let undo: Disposable | AsyncDisposable | undefined;
    let directory = '';
    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'trundle-faults-'));
      undo = await place.make?.(directory);
    }, IMAGE_PATIENCE);
    afterAll(async () => {
      if (undo !== undefined && Symbol.asyncDispose in undo) await undo[Symbol.asyncDispose]();
      else undo?.[Symbol.dispose]();
      rmSync(directory, { recursive: true, force: true });
    });
    // What of a fault is drawn must not depend on what is made for it later.
    test.each(drawn(place, new Draw(seed + index)))('$number: $kind, $what', async ({ fault }) => {
      await happen(place, fault);
    });
  });
}

function drawn(place: Place, draw: Draw): Drawn[] {
  const kinds = Object.entries(KINDS);
  const faults: Drawn[] = [];
  while (faults.length < place.share) {
    const [kind, make] = draw.of(kinds);
    const fault = make(place, draw);
    if (fault !== null) faults.push({ number: faults.length + 1, kind, fault, what: fault.what });
  }
  return faults;
}

/** Opens a testbed, lets the fault happen, and checks its cause and that nothing is left. */
async function happen(place: Place, fault: Fault): Promise<void> {
  const words = fault.words?.(workplace()) ?? place.words(place.image ?? '');
  const backend = await configureBackend(words);
  const run = createRun({ trace: join(workplace(), 'trace') });
  const log = new EventLog(run.events$);
  const abort = new AbortController();
  if (fault.abortAt !== undefined)
    run.events$.subscribe(({ type }) => {
      if (type === fault.abortAt) abort.abort(new Error('changed my mind'));
    });
  run.emit({
    ...{ type: 'run.started', testbed: null, from: 'runner', tests: false },
    ...{ trundle: VERSION, sources: [], backend: [...words] },
  });
  let error: unknown = null;
  try {
    const opening = { ...fault.options, ...(fault.abortAt === undefined ? {} : { signal: abort.signal }) };
    const testbed = await run.openTestbed(backend, opening);
    try {
      await log.during('the fault', fault.use?.(testbed, log, abort) ?? Promise.resolve());
    } finally {
      await testbed.close();
    }
  } catch (thrown) {
    error = thrown;
  }
  const end = await log.during('the end of the run', run.close());
  if (error !== null && !(error instanceof TestbedError)) throw error;
  const cause = fault.ofRun === true ? end.cause : (error?.cause ?? null);
  expect(cause === null ? null : { class: cause.class, phase: cause.phase }, log.told()).toEqual(fault.expected);
  await expectSoundTrace(end.trace, end);
  expectNothingLeft(log);
  expect(place.standing?.(log.events[0]?.run ?? '') ?? []).toEqual([]);
}

/** Looks from outside: no process, mount or directory has the name of the run any more. */
function expectNothingLeft(log: EventLog): void {
  const run = log.events[0]?.run ?? '';
  expect(run).not.toBe('');
  expect(processesWith(run)).toEqual([]);
  expect(readdirSync(tmpdir()).filter((name) => name.includes(run))).toEqual([]);
  for (const file of ['/proc/self/mountinfo', '/proc/self/cgroup'])
    expect(readFileSync(file, 'utf8')).not.toContain(run);
  expect(log.all('testbed.removed').flatMap(({ leftovers }) => leftovers)).toEqual([]);
}
