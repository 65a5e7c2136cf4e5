import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TrundleEvent } from '../../../src/events/index.ts';
import type { Owner } from '../../../src/trace/contract.ts';
import { createHeader, livenessOf, thisProcess } from '../../../src/trace/owner.ts';
import { createRecorder } from '../../../src/trace/recorder.ts';
import {
  defaultTraceDirectory,
  listRuns,
  pruneRuns,
  registerRun,
  runsDirectory,
  settleRun,
} from '../../../src/trace/registry.ts';
import { event, ManualClock, temporaryDirectory } from './support/trace.ts';

const SELF = thisProcess();
/** As if this very process had died and another had got its pid. */
const DEAD: Owner = { ...SELF, startTime: SELF.startTime - 1 };
const ENDED = event(1, { type: 'run.concluded', testbed: null, from: 'machine', exitCode: 0, cause: null });
const TAKEN = event(1, {
  type: 'resource.acquired',
  testbed: 'tb1',
  from: 'backend',
  resource: 'tb1.r1',
  kind: 'port',
  name: '1',
});

function record(directory: string, run: string, started: string, owner: Owner, ...events: TrundleEvent[]): void {
  const header = { ...createHeader({ run, trundle: '0.1.0', now: new Date(started) }), owner };
  const recorder = createRecorder({ directory, header, clock: new ManualClock(), onError: () => {} });
  for (const each of events) recorder.event(each);
  recorder.close();
}

function setUp() {
  const home = temporaryDirectory();
  const env = { HOME: home };
  const known = (run: string, day: number, owner: Owner, ...events: TrundleEvent[]) => {
    registerRun({ run, trace: defaultTraceDirectory(run, env) }, env);
    record(defaultTraceDirectory(run, env), run, `2026-01-0${day}T00:00:00.000Z`, owner, ...events);
  };
  return { home, env, known };
}

describe('the owner of a trace', () => {
  test('is alive while its process is there', () => {
    expect(livenessOf(SELF)).toBe('alive');
  });

  test('is dead where another process has its pid, or nobody', () => {
    expect(livenessOf(DEAD)).toBe('dead');
    expect(livenessOf({ ...SELF, pid: 2 ** 30 })).toBe('dead');
  });

  test('is dead after a reboot', () => {
    expect(livenessOf({ ...SELF, boot: 'another' })).toBe('dead');
  });

  test('is unknown on another host and in another pid namespace', () => {
    expect(livenessOf({ ...DEAD, host: 'elsewhere' })).toBe('unknown');
    expect(livenessOf({ ...DEAD, pidNamespace: 'pid:[1]' })).toBe('unknown');
  });
});

describe('the registry of runs', () => {
  test('is in the state directory of the user', () => {
    expect(runsDirectory({ HOME: '/home/u', XDG_STATE_HOME: '/state' })).toBe('/state/trundle/runs');
    expect(runsDirectory({ HOME: '/home/u', XDG_STATE_HOME: 'relative' })).toBe('/home/u/.local/state/trundle/runs');
    expect(runsDirectory({ HOME: '/home/u' })).toBe('/home/u/.local/state/trundle/runs');
  });

  test('takes no id that would lead elsewhere', () => {
    for (const run of ['..', '.hidden', 'a/b', '']) expect(() => defaultTraceDirectory(run, {})).toThrow(RangeError);
  });

  test('is empty before the first run', async () => {
    expect(await listRuns(setUp().env)).toEqual([]);
  });

  test('knows runs whose trace is in it and runs whose trace is elsewhere, oldest first', async () => {
    const { home, env, known } = setUp();
    known('second', 2, SELF, TAKEN);
    const elsewhere = join(home, 'out', 'trace');
    registerRun({ run: 'first', trace: elsewhere }, env);
    record(elsewhere, 'first', '2026-01-01T00:00:00.000Z', DEAD, ENDED);
    expect(await listRuns(env)).toMatchObject([
      { run: 'first', trace: elsewhere, owner: 'dead', concluded: true, left: 0, problem: null },
      { run: 'second', trace: join(runsDirectory(env), 'second'), owner: 'alive', concluded: false, left: 1 },
    ]);
  });

  test('is for the eyes of its owner only', () => {
    const { env, known } = setUp();
    known('one', 1, SELF);
    const modeOf = (path: string) => statSync(path).mode & 0o777;
    expect([runsDirectory(env), defaultTraceDirectory('one', env)].map(modeOf)).toEqual([0o700, 0o700]);
  });

  test('says why the trace of a run cannot be read', async () => {
    const { env } = setUp();
    registerRun({ run: 'lost', trace: '/nonexistent/trace' }, env);
    mkdirSync(join(runsDirectory(env), 'broken'));
    writeFileSync(join(runsDirectory(env), 'broken', 'run.json'), '{"run"');
    expect(await listRuns(env)).toMatchObject([
      { run: 'broken', header: null, problem: expect.stringContaining('there is no trace here') },
      {
        run: 'lost',
        trace: '/nonexistent/trace',
        header: null,
        problem: expect.stringContaining('there is no trace here'),
      },
    ]);
  });

  test('knows of a run whose trace was deleted who had it and whether it ended well', async () => {
    const { home, env } = setUp();
    for (const run of ['going', 'ended']) registerRun({ run, trace: join(home, run) }, env);
    settleRun('ended', env);
    const missing = { header: null, missing: true, owner: 'alive', left: 0 };
    expect(await listRuns(env)).toMatchObject([
      { ...missing, run: 'ended', concluded: true },
      { ...missing, run: 'going', concluded: false },
    ]);
    expect(await listRuns(env, { ...SELF, boot: 'the next' })).toMatchObject([{ owner: 'dead' }, { owner: 'dead' }]);
  });

  test('has nothing to settle for a run that it does not know', () => {
    const { env } = setUp();
    settleRun('unknown', env);
    expect(existsSync(defaultTraceDirectory('unknown', env))).toBe(false);
  });

  test('forgets a run that ended well and whose trace was deleted, whatever its age', async () => {
    const { home, env, known } = setUp();
    known('young', 6, DEAD, ENDED);
    registerRun({ run: 'deleted', trace: join(home, 'out') }, env);
    settleRun('deleted', env);
    rmSync(join(home, 'out'), { recursive: true, force: true });
    const later = { ...SELF, boot: 'the next' };
    expect(await pruneRuns(10, env, later)).toEqual(['deleted']);
  });

  test('forgets old runs that have ended and left nothing, and none else', async () => {
    const { home, env, known } = setUp();
    known('old', 1, DEAD, ENDED);
    known('killed', 2, DEAD);
    known('leftovers', 3, DEAD, TAKEN, { ...ENDED, seq: 2 });
    known('live', 4, SELF, ENDED);
    const elsewhere = join(home, 'out');
    registerRun({ run: 'elsewhere', trace: elsewhere }, env);
    record(elsewhere, 'elsewhere', '2026-01-05T00:00:00.000Z', DEAD, ENDED);
    known('young', 6, DEAD, ENDED);
    expect(await pruneRuns(1, env)).toEqual(['old', 'elsewhere']);
    expect((await listRuns(env)).map(({ run }) => run)).toEqual(['killed', 'leftovers', 'live', 'young']);
    expect(existsSync(join(elsewhere, 'events.jsonl'))).toBe(true);
  });
});
