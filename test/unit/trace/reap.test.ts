import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type EventData, systemClock, type TrundleEvent } from '../../../src/events/index.ts';
import type { Owner } from '../../../src/trace/contract.ts';
import { explain } from '../../../src/trace/explain/explain.ts';
import { createHeader, statOf, thisProcess } from '../../../src/trace/owner.ts';
import { readTrace } from '../../../src/trace/readTrace.ts';
import { whyNotRemove } from '../../../src/trace/reap/paths.ts';
import { reap } from '../../../src/trace/reap/reap.ts';
import { createRecorder } from '../../../src/trace/recorder.ts';
import { listRuns, pruneRuns, registerRun, settleRun } from '../../../src/trace/registry.ts';
import { describeWith } from '../../support/needs.ts';
import { event, linesOf, ManualClock, temporaryDirectory } from './support/trace.ts';

const SELF = thisProcess();
const DEAD: Owner = { ...SELF, startTime: SELF.startTime - 1 };
const STARTED = '2026-01-01T00:00:00.000Z';

type Taken = Omit<EventData<'resource.acquired'>, 'resource'>;

/** A run whose trace says that it took these things, in a home of its own. */
function killedRun(taken: Taken[], options: { owner?: Owner; more?: TrundleEvent[] } = {}) {
  const home = temporaryDirectory();
  const env = { HOME: home };
  const trace = join(home, 'out');
  registerRun({ run: 'r1', trace }, env);
  const header = {
    ...createHeader({ run: 'r1', trundle: '0.1.0', now: new Date(STARTED) }),
    owner: options.owner ?? DEAD,
  };
  const recorder = createRecorder({ directory: trace, header, clock: new ManualClock(), onError: () => {} });
  for (const [index, resource] of taken.entries()) {
    recorder.event(
      event(index + 1, {
        type: 'resource.acquired',
        testbed: 'tb1',
        from: 'backend',
        resource: `tb1.r${index + 1}`,
        ...resource,
      }),
    );
  }
  for (const each of options.more ?? []) recorder.event(each);
  recorder.close();
  const run = () => reap({ clock: systemClock, env, wallClock: () => Date.parse(STARTED) + 60_000 });
  return { home, env, trace, run };
}

async function spawned(
  argv: readonly [string, ...string[]],
  detached = false,
): Promise<{ child: ChildProcess; taken: Taken; ended: Promise<unknown> }> {
  const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'pipe', 'ignore'], detached });
  const ended = once(child, 'exit');
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  return { child, ended, taken: { kind: 'process', name: String(pid), startTime: statOf(pid)?.startTime ?? 0 } };
}

describe('reap', () => {
  test('removes what a killed run left, youngest first, and writes down that it is gone', async () => {
    const place = temporaryDirectory();
    const file = join(place, 'inner', 'file');
    mkdirSync(dirname(file));
    writeFileSync(file, '');
    symlinkSync('/etc', join(place, 'inner', 'link'));
    const { taken, ended } = await spawned(['sleep', '1000']);
    const { run, trace } = killedRun([
      { kind: 'directory', name: join(place, 'inner') },
      { kind: 'file', name: file },
      taken,
    ]);
    const [reaped] = await run();
    expect(reaped).toMatchObject({ run: 'r1', outcome: 'finished', left: [], concluded: true, problem: null });
    expect(reaped?.released.map(({ resource }) => resource)).toEqual(['tb1.r3', 'tb1.r2', 'tb1.r1']);
    expect(await ended).toEqual([null, 'SIGTERM']);
    expect(existsSync(join(place, 'inner'))).toBe(false);
    expect(existsSync('/etc/passwd')).toBe(true);
    const common = { v: 1, at: 60_000, run: 'r1', from: 'operator' };
    expect(linesOf(trace).slice(4)).toEqual([
      { ...common, seq: 4, testbed: 'tb1', type: 'resource.released', resource: 'tb1.r3' },
      { ...common, seq: 5, testbed: 'tb1', type: 'resource.released', resource: 'tb1.r2' },
      { ...common, seq: 6, testbed: 'tb1', type: 'resource.released', resource: 'tb1.r1' },
      {
        ...common,
        seq: 7,
        testbed: null,
        type: 'run.concluded',
        exitCode: 20,
        cause: {
          class: 'runner-killed',
          phase: 'plan',
          doing: 'preparing the run',
          detail: 'the runner was gone, and its trace had no end',
          evidence: [3],
        },
      },
    ]);
  });

  test('finds nothing to do the second time', async () => {
    const { run, trace } = killedRun([{ kind: 'port', name: '127.0.0.1:2222' }]);
    await run();
    const before = readFileSync(join(trace, 'events.jsonl'));
    expect(await run()).toMatchObject([{ outcome: 'clean', released: [], left: [], concluded: false }]);
    expect(readFileSync(join(trace, 'events.jsonl'))).toEqual(before);
  });

  test('leaves what stays on purpose until its run is named, and removes what else is left', async () => {
    const place = temporaryDirectory();
    const [kept, leaked] = [join(place, 'kept'), join(place, 'leaked')];
    for (const path of [kept, leaked]) mkdirSync(path);
    const enter = ['podman', 'exec', '-it', 'x', 'sh'];
    const more = [
      event(3, { type: 'testbed.kept', testbed: 'tb1', from: 'machine', enter, resources: ['tb1.r1'] }),
      event(4, { type: 'run.concluded', testbed: null, from: 'machine', exitCode: 0, cause: null }),
    ];
    const taken: Taken[] = [kept, leaked].map((name) => ({ kind: 'directory', name }));
    const { run, env, trace } = killedRun(taken, { more });
    expect(await run()).toMatchObject([
      {
        outcome: 'finished',
        released: [{ name: leaked }],
        left: [],
        kept: [{ testbed: 'tb1', enter }],
        concluded: false,
      },
    ]);
    expect(await run()).toMatchObject([{ outcome: 'kept', released: [], left: [], kept: [{ testbed: 'tb1' }] }]);
    expect([existsSync(kept), existsSync(leaked)]).toEqual([true, false]);
    // A run of which something stays is not forgotten.
    expect(await pruneRuns(0, env)).toEqual([]);
    expect(await reap({ clock: systemClock, env, runs: [`${trace}/`] })).toMatchObject([
      { outcome: 'finished', released: [{ name: kept }], kept: [] },
    ]);
    expect(existsSync(kept)).toBe(false);
    expect(await run()).toMatchObject([{ outcome: 'clean', kept: [] }]);
  });

  test('leaves valid events behind, also after a line that was cut off', async () => {
    const { run, trace } = killedRun([{ kind: 'port', name: '1' }]);
    appendFileSync(join(trace, 'events.jsonl'), '{"v":1,"seq":2,"at":');
    expect(await run()).toMatchObject([{ outcome: 'finished' }]);
    const reading = await readTrace(trace, { validate: true });
    for await (const line of reading.lines()) expect(line).toBeDefined();
    expect(reading.end).toMatchObject({ truncated: false, lastSeq: 3 });
  });

  describe('of a run whose trace was deleted', () => {
    const LATER: Owner = { ...SELF, boot: 'the next' };

    function deleted(how: { settled: boolean }) {
      const env = { HOME: temporaryDirectory() };
      registerRun({ run: 'r1', trace: join(env.HOME, 'out') }, env);
      if (how.settled) settleRun('r1', env);
      return (options: { self?: Owner; forget?: boolean; runs?: string[] }) =>
        reap({ clock: systemClock, env, ...options });
    }

    test('has nothing to do where it had ended and left nothing', async () => {
      expect(await deleted({ settled: true })({ self: LATER })).toMatchObject([{ run: 'r1', outcome: 'clean' }]);
    });

    test('leaves it alone while its runner lives', async () => {
      const run = deleted({ settled: false });
      expect(await run({ forget: true })).toMatchObject([{ run: 'r1', outcome: 'alive' }]);
    });

    test('says each time that nobody knows what it left, until it is to be forgotten', async () => {
      const run = deleted({ settled: false });
      const lost = { run: 'r1', outcome: 'lost', problem: expect.stringContaining('there is no trace here') };
      expect(await run({ self: LATER })).toMatchObject([lost]);
      expect(await run({ self: LATER, runs: ['r1'] })).toMatchObject([lost]);
      expect(await run({ self: LATER, forget: true })).toMatchObject([{ run: 'r1', outcome: 'forgotten' }]);
      expect(await run({ self: LATER })).toEqual([]);
    });

    test('takes the path of the trace for the run', async () => {
      const env = { HOME: temporaryDirectory() };
      registerRun({ run: 'r1', trace: join(env.HOME, 'out') }, env);
      const runs = [join(env.HOME, 'out')];
      const options = { clock: systemClock, env, runs, self: LATER, forget: true };
      expect(await reap(options)).toMatchObject([{ run: 'r1', outcome: 'forgotten' }]);
      expect(await listRuns(env)).toEqual([]);
    });
  });

  test('says in which phase the run was', async () => {
    const more = [
      event(1, {
        type: 'testbed.requested',
        testbed: 'tb1',
        from: 'runner',
        backend: 'null',
        deadlines: {},
        maxConnections: 8,
      }),
    ];
    const { run, trace } = killedRun([], { more });
    await run();
    expect(linesOf(trace).at(-1)).toMatchObject({
      cause: { phase: 'provision', doing: 'making the testbed', evidence: [1] },
    });
  });

  test('removes what an ended run left, without a second end', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    const more = [event(2, { type: 'run.concluded', testbed: null, from: 'machine', exitCode: 20, cause: null })];
    const { run, trace } = killedRun([{ kind: 'file', name: file }], { more });
    expect(await run()).toMatchObject([{ outcome: 'finished', concluded: false, released: [{ kind: 'file' }] }]);
    expect(linesOf(trace).at(-1)).toMatchObject({ type: 'resource.released' });
  });

  test.each([
    ['lives', SELF, 'alive'],
    ['is on another host', { ...DEAD, host: 'elsewhere' }, 'elsewhere'],
    ['is in another pid namespace', { ...DEAD, pidNamespace: 'pid:[1]' }, 'elsewhere'],
  ])('touches nothing of a run whose runner %s', async (_, owner, outcome) => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    const { run, trace } = killedRun([{ kind: 'file', name: file }], { owner });
    const before = readFileSync(join(trace, 'events.jsonl'));
    expect(await run()).toMatchObject([{ outcome, released: [] }]);
    expect(existsSync(file)).toBe(true);
    expect(readFileSync(join(trace, 'events.jsonl'))).toEqual(before);
  });

  test('leaves a run to the reap that is at it', async () => {
    const { env, trace, run } = killedRun([{ kind: 'session', name: 's', release: ['sleep', '1000'] }]);
    const { taken } = await spawned(['sleep', '1000']);
    const other = { ...SELF, pid: Number(taken.name), startTime: taken.startTime ?? 0 };
    writeFileSync(join(trace, `reap.${other.pid}.${other.startTime}.lock`), JSON.stringify(other));
    expect(await run()).toMatchObject([{ outcome: 'busy' }]);
    expect(env).toBeDefined();
  });

  test('does each thing once where two begin at the same time', async () => {
    const log = join(temporaryDirectory(), 'log');
    const { env, run } = killedRun([{ kind: 'session', name: 's', release: ['sh', '-c', `echo released >> ${log}`] }]);
    const second = await spawned(['sleep', '1000']);
    const self = { ...SELF, pid: Number(second.taken.name), startTime: second.taken.startTime ?? 0 };
    const outcomes = (await Promise.all([run(), reap({ clock: systemClock, env, self })]))
      .flat()
      .map(({ outcome }) => outcome);
    expect(readFileSync(log, 'utf8')).toBe('released\n');
    expect(outcomes.filter((outcome) => outcome === 'finished')).toHaveLength(1);
  });

  test('takes over from a reap that was killed, and leaves no lock behind', async () => {
    const { trace, run } = killedRun([{ kind: 'port', name: '1' }]);
    writeFileSync(join(trace, `reap.${DEAD.pid}.${DEAD.startTime}.lock`), JSON.stringify(DEAD));
    expect(await run()).toMatchObject([{ outcome: 'finished' }]);
    expect(readdirSync(trace).filter((name) => name.endsWith('.lock'))).toEqual([]);
  });

  test('works on the runs that are named, by id or by trace', async () => {
    const { env, trace } = killedRun([{ kind: 'port', name: '1' }]);
    await expect(reap({ runs: ['unheard-of'], clock: systemClock, env })).rejects.toThrow(
      /no run is called unheard-of.*r1/,
    );
    expect(await reap({ runs: [trace], clock: systemClock, env })).toMatchObject([{ run: 'r1', outcome: 'finished' }]);
    expect(await reap({ runs: ['r1'], clock: systemClock, env })).toMatchObject([{ run: 'r1', outcome: 'clean' }]);
  });

  test('changes nothing where the trace is damaged, and says what is known to be left', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    const { trace, run } = killedRun([{ kind: 'file', name: file }]);
    appendFileSync(join(trace, 'events.jsonl'), 'garbage\n');
    const [reaped] = await run();
    expect(reaped).toMatchObject({
      outcome: 'unreadable',
      problem: expect.stringContaining('line 3'),
      left: [{ name: file, command: `rm -f -- ${file}` }],
    });
    expect(existsSync(file)).toBe(true);
  });
});

describe('what reap does about a process', () => {
  test('kills it where it does not end by itself, with the group that it leads', async () => {
    const script = 'trap "" TERM; sleep 1000 & echo ready; wait';
    const { child, taken, ended } = await spawned(['sh', '-c', script], true);
    if (child.stdout !== null) await once(child.stdout, 'data');
    const clock = {
      ...systemClock,
      after: (ms: number, callback: () => void) => systemClock.after(Math.min(ms, 1), callback),
    };
    const { env } = killedRun([taken]);
    expect(await reap({ clock, env })).toMatchObject([{ outcome: 'finished', left: [] }]);
    expect(await ended).toEqual([null, 'SIGKILL']);
  });

  describeWith(['root', 'unshare', 'proc'], 'that holds a pid namespace', () => {
    test('ends it though a process inside, and who brought it in, are stopped', async () => {
      const script = 'trap "exit 0" TERM; mount -n -t proc proc /proc; echo ready; sleep 1000 & wait';
      const flags = ['--mount', '--propagation', 'slave', '--pid', '--fork', '--kill-child'];
      const made = await spawned(['unshare', ...flags, 'sh', '-c', script], true);
      if (made.child.stdout !== null) await once(made.child.stdout, 'data');
      const first = readFileSync(`/proc/${made.taken.name}/task/${made.taken.name}/children`, 'utf8').trim();
      const namespaces = [`--pid=/proc/${first}/ns/pid`, `--mount=/proc/${first}/ns/mnt`];
      const entered = await spawned(['nsenter', ...namespaces, 'sh', '-c', 'kill -STOP $$'], true);
      const isStopped = () => statOf(entered.child.pid ?? 0)?.state === 'T';
      await vi.waitFor(() => expect(isStopped()).toBe(true), 20_000);
      const { run } = killedRun([made.taken]);
      expect(await run()).toMatchObject([{ outcome: 'finished', left: [] }]);
      await made.ended;
      expect(await entered.ended).toEqual([null, 'SIGKILL']);
    });
  });

  test('counts a process as gone where another one has its pid now, and leaves that alone', async () => {
    const { child, taken } = await spawned(['sleep', '1000']);
    const { run } = killedRun([{ ...taken, startTime: (taken.startTime ?? 0) - 1 }]);
    expect(await run()).toMatchObject([{ left: [], released: [{ kind: 'process' }] }]);
    expect(child.exitCode ?? child.signalCode).toBeNull();
  });

  test('leaves a process whose start time was not recorded', async () => {
    const { child, taken } = await spawned(['sleep', '1000']);
    const { run } = killedRun([{ kind: 'process', name: taken.name }]);
    expect(await run()).toMatchObject([
      { left: [{ reason: expect.stringContaining('start time'), command: `kill -KILL ${taken.name}` }] },
    ]);
    expect(child.exitCode ?? child.signalCode).toBeNull();
  });

  test('never takes 0, 1 or a group for a process', async () => {
    const { run } = killedRun(
      ['0', '1', '-5', 'x', ''].map((name) => ({ kind: 'process' as const, name, startTime: 1 })),
    );
    const [reaped] = await run();
    expect(reaped?.left.map(({ reason }) => reason)).toEqual(Array(5).fill('its name is no process id'));
  });

  test('tells of a group that outlived its leader', async () => {
    const { child, taken, ended } = await spawned(['sh', '-c', 'sleep 1000 & echo $!'], true);
    const [said] = child.stdout === null ? [] : await once(child.stdout, 'data');
    const orphan = Number(String(said));
    onTestFinished(() => void process.kill(orphan, 'SIGKILL'));
    await ended;
    const { run } = killedRun([taken]);
    expect(await run()).toMatchObject([{ left: [{ reason: expect.stringContaining(`pid ${orphan}`) }] }]);
  });
});

describe('what reap does about paths', () => {
  test('never removes what belongs to the system, to a user, or to itself', () => {
    const never = [
      '/',
      '/tmp',
      '/tmp/',
      '/home/somebody',
      '/usr/lib/x',
      '/etc/ssh',
      '/var/lib',
      'tmp/x',
      '/tmp/../etc',
      '/proc/1',
    ];
    for (const path of [...never, homedir(), dirname(process.cwd()), process.cwd()])
      expect(whyNotRemove(path)).not.toBeNull();
    expect(whyNotRemove('/tmp/trundle-x')).toBeNull();
    expect(whyNotRemove('/tmp/trundle-x', ['/tmp/trundle-x/trace'])).toBe('/tmp/trundle-x/trace is in it');
  });

  test('leaves a directory that holds the trace itself', async () => {
    const { env, trace } = killedRun([]);
    appendFileSync(
      join(trace, 'events.jsonl'),
      `${JSON.stringify(event(1, { type: 'resource.acquired', testbed: 'tb1', from: 'backend', resource: 'r', kind: 'directory', name: trace }))}\n`,
    );
    expect(await reap({ clock: systemClock, env })).toMatchObject([
      { left: [{ reason: expect.stringContaining('is in it') }] },
    ]);
    expect(existsSync(trace)).toBe(true);
  });

  test('follows no symbolic link, neither at the end of a path nor on its way', async () => {
    const place = temporaryDirectory();
    mkdirSync(join(place, 'precious', 'inner'), { recursive: true });
    writeFileSync(join(place, 'precious', 'file'), '');
    symlinkSync(join(place, 'precious'), join(place, 'link'));
    const { run } = killedRun([
      { kind: 'directory', name: join(place, 'link') },
      { kind: 'directory', name: join(place, 'link', 'inner') },
      { kind: 'file', name: join(place, 'link', 'file') },
    ]);
    const [reaped] = await run();
    expect(reaped?.left.map(({ reason }) => reason)).toEqual([
      'it is not removed: its path leads through a symbolic link',
      'it is not removed: its path leads through a symbolic link',
      'it is not removed: it is no directory any more',
    ]);
    expect(existsSync(join(place, 'precious', 'inner'))).toBe(true);
    expect(existsSync(join(place, 'precious', 'file'))).toBe(true);
  });

  test('removes sockets, and counts what is not there any more as gone', async () => {
    const place = temporaryDirectory();
    const path = join(place, 'socket');
    const server = createServer().listen(path);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { run } = killedRun([
      { kind: 'socket', name: path },
      { kind: 'socket', name: '@abstract' },
      { kind: 'directory', name: join(place, 'never', 'made') },
      { kind: 'file', name: join(place, 'never') },
      { kind: 'mount', name: join(place, 'never') },
    ]);
    expect(await run()).toMatchObject([{ left: [] }]);
    expect(existsSync(path)).toBe(false);
  });

  test('removes nothing whose name lost a secret', async () => {
    const { run } = killedRun([{ kind: 'directory', name: '/tmp/[redacted]/x' }]);
    expect(await run()).toMatchObject([{ left: [{ reason: expect.stringContaining('secret') }] }]);
  });
});

describe('what reap does about everything else', () => {
  test('runs the command that was recorded, and says what it said where it fails', async () => {
    const { run } = killedRun([
      { kind: 'container', name: 'c', release: ['true'] },
      { kind: 'session', name: 's', release: ['sh', '-c', 'echo first >&2; echo "no such session" >&2; exit 3'] },
      { kind: 'namespace', name: 'n', release: ['/nonexistent/program', 'two words'] },
      { kind: 'cgroup', name: 'g' },
    ]);
    const [reaped] = await run();
    expect(reaped?.released).toMatchObject([{ name: 'c' }]);
    expect(reaped?.left).toMatchObject([
      { name: 'g', command: null, reason: expect.stringContaining('the trace has none') },
      { name: 'n', command: "/nonexistent/program 'two words'", reason: expect.stringContaining('could not be run') },
      { name: 's', reason: 'sh exited with status 3: no such session' },
    ]);
  });

  test('asks first whether what bears a name that was given is the run’s own', async () => {
    const marker = join(temporaryDirectory(), 'marker');
    const named = (name: string, check: string): Taken => ({
      kind: 'session',
      name,
      release: ['sh', '-c', 'echo "$1" >>"$2"', 'sh', name, marker],
      check: ['sh', '-c', check],
    });
    const { run, trace } = killedRun([
      named('own', 'exit 0'),
      named('ended', 'echo "it has been ended" >&2; exit 1'),
      named('silent', 'exit 1'),
      named('unknown', 'echo first >&2; echo "the daemon does not answer" >&2; exit 2'),
      named('killed', 'kill -KILL $$'),
    ]);
    const [reaped] = await run();
    expect(readFileSync(marker, 'utf8')).toBe('own\n');
    expect(reaped?.released).toMatchObject([{ name: 'own' }]);
    expect(reaped?.gone).toMatchObject([
      { name: 'silent', reason: expect.stringContaining('not of this run') },
      { name: 'ended', reason: 'it has been ended' },
    ]);
    // Who is told to look for himself needs no check.
    expect(reaped?.left).toMatchObject([
      {
        name: 'killed',
        reason: expect.stringContaining('was killed by SIGKILL'),
        command: expect.not.stringContaining('exit'),
      },
      {
        name: 'unknown',
        reason: 'nobody can tell whether it is of this run: the daemon does not answer',
        command: `sh -c 'echo "$1" >>"$2"' sh unknown ${marker}`,
      },
    ]);
    const { left } = await explain(await readTrace(trace));
    expect(left.map(({ name }) => name)).toEqual(['unknown', 'killed']);
    expect(left[1]?.command).toBe(`sh -c 'kill -KILL $$' && sh -c 'echo "$1" >>"$2"' sh killed ${marker}`);
  });

  test('leaves what is known by its name alone while a run that is alive holds one of that name', async () => {
    const marker = join(temporaryDirectory(), 'marker');
    const taken: Taken = { kind: 'session', name: 's', release: ['touch', marker] };
    const { env, run } = killedRun([taken]);
    const header = { ...createHeader({ run: 'r2', trundle: '0.1.0', now: new Date(STARTED) }), owner: SELF };
    const trace = join(env.HOME, 'other');
    registerRun({ run: 'r2', trace }, env);
    const recorder = createRecorder({ directory: trace, header, clock: new ManualClock(), onError: () => {} });
    const other = { type: 'resource.acquired', testbed: 'tb1', from: 'backend', resource: 'tb1.r1', ...taken } as const;
    recorder.event(event(1, other));
    const [, reaped] = (await run()).toSorted((a, b) => b.run.localeCompare(a.run));
    const reason = expect.stringContaining('run r2, which is still going');
    expect(reaped).toMatchObject({ run: 'r1', released: [], gone: [], left: [{ name: 's', reason, command: null }] });
    expect(existsSync(marker)).toBe(false);
    recorder.event(event(2, { type: 'resource.released', testbed: 'tb1', from: 'backend', resource: 'tb1.r1' }));
    recorder.close();
    await run();
    expect(existsSync(marker)).toBe(true);
  });

  test('gives such a command a deadline', async () => {
    const { env } = killedRun([{ kind: 'session', name: 's', release: ['sh', '-c', 'sleep 1000'] }]);
    const clock = { ...systemClock, after: (_: number, callback: () => void) => systemClock.after(1, callback) };
    expect(await reap({ clock, env })).toMatchObject([{ left: [{ reason: 'sh did not end within 60000 ms' }] }]);
  });
});

describeWith(['tmpfs', 'root'], 'what reap does about mounts', () => {
  test('unmounts them, and keeps out of a directory where one is left', async () => {
    const place = temporaryDirectory();
    const point = join(place, 'a b');
    mkdirSync(point);
    const mount = spawn('mount', ['-t', 'tmpfs', 'none', point]);
    await once(mount, 'exit');
    onTestFinished(() => void spawn('umount', ['-q', point]));
    writeFileSync(join(point, 'precious'), '');
    const first = killedRun([{ kind: 'directory', name: point }]);
    expect(await first.run()).toMatchObject([{ left: [{ reason: `it is not removed: ${point} is mounted there` }] }]);
    expect(existsSync(join(point, 'precious'))).toBe(true);
    const second = killedRun([
      { kind: 'directory', name: point },
      { kind: 'mount', name: point },
    ]);
    expect(await second.run()).toMatchObject([{ left: [] }]);
    expect(existsSync(point)).toBe(false);
  });
});
