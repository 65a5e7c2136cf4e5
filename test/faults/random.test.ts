import { randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { configureBackend } from '../../src/backends/index.ts';
import { VERSION } from '../../src/events/index.ts';
import { createRun, TestbedError } from '../../src/testbed/index.ts';
import { makeOrdinary } from '../backends/support/ordinary.ts';
import { processesWith } from '../contract/support/marks.ts';
import { cli } from '../e2e/support/cli.ts';
import { EventLog } from '../support/eventLog.ts';
import { IMAGE_PATIENCE } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { remainsOf } from './support/outside.ts';
import { Draw } from './support/random/draw.ts';
import type { Fault } from './support/random/fault.ts';
import { expectInTime, USUAL } from './support/random/inTime.ts';
import { KINDS } from './support/random/kinds.ts';
import { PLACES, type Place } from './support/random/places.ts';
import { type Refused, refusedText, refusedWords } from './support/refused.ts';
import { expectSoundTrace, readAll } from './support/soundness.ts';
import { strike, whenSignalled } from './support/struckRun.ts';

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

/** Kinds that a place had already: some can be had by one place only, whose share is less than its kinds. */
const had = new Set<string>();

// What of a fault is drawn must not depend on what is made for it later.
const DRAWN = PLACES.map((place, index) => ({ place, faults: drawn(place, new Draw(seed + index)) }));

for (const { place, faults } of DRAWN) {
  describeWith(place.needs, `random faults of ${place.name}, seed ${seed}`, () => {
    let undo: Disposable | AsyncDisposable | undefined;
    let directory = '';
    const runs: string[] = [];
    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'trundle-faults-'));
      mkdirSync(join(directory, 'cache'));
      vi.stubEnv('XDG_CACHE_HOME', join(directory, 'cache'));
      undo = await place.make?.(directory);
    }, IMAGE_PATIENCE);
    afterAll(async () => {
      vi.unstubAllEnvs();
      if (undo !== undefined && Symbol.asyncDispose in undo) await undo[Symbol.asyncDispose]();
      else undo?.[Symbol.dispose]();
      rmSync(directory, { recursive: true, force: true });
    });
    test.each(faults)('$number: $kind, $what', async ({ fault }) => {
      if (fault.struck !== undefined) runs.push(await befall(place, fault, fault.struck));
      else if (fault.refused !== undefined) runs.push(await refuse(place, fault, fault.refused));
      else runs.push(await happen(place, fault));
    });
    // To ask the control groups and schroot after each fault would take as long as the faults.
    test('nothing is left of any, for who looks from outside', () => {
      expect(runs).not.toEqual([]);
      expect(remainsOf(runs, [join(directory, 'cache')])).toEqual([]);
    });
  });
}

describe(`the faults that were drawn by the seed ${seed}`, () => {
  const all = DRAWN.flatMap(({ place, faults }) => faults.map(({ kind, fault }) => ({ place, kind, fault })));
  const counts = {
    backend: countOf(all.map(({ place }) => place.name)),
    phase: countOf(all.map(({ fault }) => fault.expected?.phase ?? 'none: it goes on')),
    kind: countOf(all.map(({ kind }) => kind)),
  };
  afterAll(() => {
    const lines = Object.entries(counts).map(
      ([of, each]) => `  by ${of}: ${[...each].map(([name, count]) => `${name} ${count}`).join(', ')}`,
    );
    process.stdout.write(`${[`${all.length} faults, seed ${seed}`, ...lines].join('\n')}\n`);
  });

  test('are at least two hundred, of every kind', () => {
    expect(all.length).toBeGreaterThanOrEqual(200);
    expect([...counts.kind.keys()].toSorted()).toEqual(Object.keys(KINDS).toSorted());
  });
});

function countOf(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names.toSorted()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Faults of a place: every kind that it can have, what no place had first, in any order, before one comes again. */
function drawn(place: Place, draw: Draw): Drawn[] {
  const faults: Drawn[] = [];
  while (faults.length < place.share) {
    const kinds = draw.shuffled(Object.entries(KINDS));
    for (const [kind, make] of kinds.toSorted(([one], [other]) => Number(had.has(one)) - Number(had.has(other)))) {
      if (faults.length === place.share) break;
      // A draw that the place cannot have may be one that it can have another time.
      const fault = make(place, draw);
      if (fault !== null) faults.push({ number: faults.length + 1, kind, fault, what: fault.what });
    }
  }
  for (const { kind } of faults) had.add(kind);
  return faults;
}

/** Runs a package's tests in a program that gets a signal, finishes it where that killed it, and checks the same. */
async function befall(place: Place, { expected }: Fault, struck: NonNullable<Fault['struck']>): Promise<string> {
  const { signal, moment } = struck;
  const { end, env, trace, events, explained, run } = await strike(place.words(place.image ?? ''), signal, moment);
  if (signal === 'SIGTERM') {
    expect([end.status, end.signal], end.stderr).toEqual([143, null]);
    expect(whenSignalled(events)).toBe(moment.phase);
    expect(await explained()).toMatchObject({ exitCode: 143, cause: expected, left: [], interrupted: null });
    const { cause } = await explained();
    expectInTime((await readAll(trace)).events, cause);
  } else {
    expect(end.signal, end.stderr).toBe('SIGKILL');
    // The last that happened may not have reached the trace.
    const phase = (await explained()).interrupted?.phase;
    expect([moment.before ?? moment.phase, moment.phase]).toContain(phase);
    const reaped = await cli(['reap', '--json', trace], { env });
    expect(JSON.parse(reaped.stdout).runs).toMatchObject([{ outcome: 'finished', left: [], concluded: true }]);
    expect(await explained()).toMatchObject({ cause: { class: expected?.class, phase }, left: [], interrupted: null });
  }
  expect(readdirSync(env.TMPDIR)).toEqual([]);
  expect(remainsOf(run, [env.XDG_CACHE_HOME])).toEqual([]);
  return run;
}

/** Runs the program as an ordinary user who may not, or cannot, have a testbed of this place, and checks the same. */
async function refuse(place: Place, { expected }: Fault, refused: Refused): Promise<string> {
  const user = forThisTest(makeOrdinary({ subuids: false }));
  const trace = join(user.home, 'trace');
  const words = ['--', ...refusedWords(place.name, place.image ?? '', refused)];
  const end = await user.run(['exec', '--json', '--trace', trace, '-n', 'true', ...words], place.env?.());
  expect(end.stderr).toMatch(refusedText(refused));
  const { run, cause } = JSON.parse(end.stdout);
  expect({ class: cause.class, phase: cause.phase }).toEqual(expected);
  expect(end.status).toBe(16);
  expectInTime(await expectSoundTrace(trace, { exitCode: 16, cause }), cause);
  expect(readdirSync(user.temporary)).toEqual([]);
  expect(place.standing?.(run) ?? []).toEqual([]);
  return run;
}

/** Opens a testbed, lets the fault happen, and checks its cause and that nothing is left. Gives the run's id. */
async function happen(place: Place, fault: Fault): Promise<string> {
  const words = (await fault.words?.(workplace())) ?? place.words(place.image ?? '');
  const backend = await configureBackend(words);
  const run = createRun({
    trace: join(workplace(), 'trace'),
    ...(fault.clock === undefined ? {} : { clock: fault.clock }),
  });
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
    const deadlines = { ...USUAL, ...fault.options?.deadlines };
    const opening = { ...fault.options, deadlines, ...(fault.abortAt === undefined ? {} : { signal: abort.signal }) };
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
  const left = log.all('testbed.removed').flatMap(({ leftovers }) => leftovers);
  expectInTime(await expectSoundTrace(end.trace, end, left), cause);
  const { run: id = '' } = log.events[0] ?? {};
  if (fault.mend === undefined) expect(left).toEqual([]);
  else {
    await fault.mend(log.all('resource.acquired').filter(({ resource }) => left.includes(resource)));
    // podman's conmon has something to do after its container was removed.
    await expect.poll(() => processesWith(id), { timeout: 20_000 }).toEqual([]);
  }
  expectNothingLeft(id);
  expect(place.standing?.(id) ?? []).toEqual([]);
  return id;
}

/** Looks from outside at what can be seen at once: no process, mount or directory has the name of the run any more. */
function expectNothingLeft(run: string): void {
  expect(run).not.toBe('');
  expect(processesWith(run)).toEqual([]);
  expect(readdirSync(tmpdir()).filter((name) => name.includes(run))).toEqual([]);
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(run);
}
