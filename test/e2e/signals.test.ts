import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeLifeline } from '../support/lifeline.ts';
import { makePackage } from '../support/packages.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { Cli, cli, eventsIn, ownState } from './support/cli.ts';

/** A run whose test has begun and goes on until somebody ends it. */
async function runningTest(script = '', words: readonly string[] = [], variables: Record<string, string> = {}) {
  const place = workplace();
  const lifeline = forThisTest(makeLifeline(place));
  const source = makePackage(place, { tests: { lingers: `${script}\n${lifeline.linger}` } });
  const env = { ...ownState(), ...variables };
  const running = new Cli(['run', '--json', ...words, source, '--', 'null'], { env });
  const { run } = await running.event('run.started');
  await running.event('test.started');
  await lifeline.held;
  return { running, lifeline, run, env, source };
}

/** What `trundle explain` makes of a run. */
async function explanation(run: string, env: Record<string, string>) {
  return JSON.parse((await cli(['explain', '--json', run], { env })).stdout);
}

describe('a signal in the middle of a test', () => {
  test.each([
    ['SIGINT', 130, 'press Ctrl-C again to force'],
    ['SIGTERM', 143, 'send SIGTERM again to force'],
    ['SIGHUP', 129, 'send SIGHUP again to force'],
    ['SIGQUIT', 131, 'send SIGQUIT again to force'],
  ] as const)('%s takes the testbed down in order and exits with %d', async (signal, status, words) => {
    const { running, lifeline, run, env } = await runningTest();
    running.kill(signal);
    const end = await running.ended;
    expect([end.status, end.signal]).toEqual([status, null]);
    expect(end.stderr).toContain(`trundle: ${signal}: taking the testbed down; ${words}`);
    await lifeline.released;
    const events = eventsIn(end.stdout);
    expect(events.at(-1)).toMatchObject({
      type: 'run.concluded',
      exitCode: status,
      cause: { class: 'operator-interrupted' },
    });
    expect(events.find(({ type }) => type === 'removal.requested')).toMatchObject({ force: false });
    expect(await explanation(run, env)).toMatchObject({ exitCode: status, left: [], interrupted: null });
    expect((await cli(['replay', run], { env })).status).toBe(0);
  });

  test('a second one removes the testbed at once, and still leaves a complete trace', async () => {
    const { running, lifeline, run, env } = await runningTest("trap '' TERM INT HUP");
    running.kill('SIGINT');
    await running.event('operator.signalled');
    running.kill('SIGINT');
    const end = await running.ended;
    expect([end.status, end.signal]).toEqual([130, null]);
    expect(end.stderr).toContain('trundle: SIGINT again: removing the testbed at once');
    await lifeline.released;
    const events = eventsIn(end.stdout);
    expect(events.filter(({ type }) => type === 'operator.signalled')).toMatchObject([{ count: 1 }, { count: 2 }]);
    // This machine is the testbed: what is left in it stays.
    const tree = events.find((event) => event.type === 'copy.started')?.target ?? '/';
    expect(existsSync(dirname(tree)), dirname(tree)).toBe(false);
    expect(events.at(-1)).toMatchObject({ type: 'run.concluded', exitCode: 130 });
    expect(await explanation(run, env)).toMatchObject({ exitCode: 130, left: [] });
    expect((await cli(['replay', run], { env })).status).toBe(0);
  });

  test('the third leaves at once', async () => {
    const { running, lifeline, run, env } = await runningTest("trap '' TERM INT HUP");
    running.kill('SIGINT');
    await running.event('operator.signalled');
    // While it is stopped the second and the third gather: nothing can end in between.
    running.kill('SIGSTOP');
    running.kill('SIGTERM');
    running.kill('SIGHUP');
    running.kill('SIGCONT');
    const end = await running.ended;
    expect(['SIGTERM', 'SIGHUP']).toContain(end.signal);
    expect(end.stderr).toMatch(
      /for the third time: leaving\. What stands is left; trundle reap [0-9a-f]{10} removes it/,
    );
    expect((await cli(['reap', run], { env })).status).toBe(0);
    await lifeline.released;
    expect(await explanation(run, env)).toMatchObject({ left: [] });
  });
});

test('a run that nohup started outlives its terminal', async () => {
  const { running } = await runningTest('', [], { _: '/usr/bin/nohup' });
  running.kill('SIGHUP');
  running.kill('SIGINT');
  const end = await running.ended;
  expect([end.status, end.signal]).toEqual([130, null]);
  const signalled = eventsIn(end.stdout).filter(({ type }) => type === 'operator.signalled');
  expect(signalled).toMatchObject([{ signal: 'SIGINT', count: 1 }]);
  expect(end.stderr).not.toContain('SIGHUP');
});

test('a signal that comes when the run is over leaves its report whole', async () => {
  const place = workplace();
  const out = join(place, 'out');
  const source = makePackage(place, { tests: { passes: 'true' } });
  const running = new Cli(['run', '--json', '-o', out, '--report', 'on', source, '--', 'null'], { env: ownState() });
  await running.event('run.concluded');
  running.kill('SIGTERM');
  const end = await running.ended;
  // It may have been told to leave before it was over, while it wrote, or not have seen it any more.
  expect(['SIGTERM', null]).toContain(end.signal);
  expect(readFileSync(join(out, 'report.html'), 'utf8')).toMatch(/<\/html>\s*$/);
});

describe('a run that was killed', () => {
  test('is finished by trundle reap, from its trace', async () => {
    const { running, run, env } = await runningTest();
    running.kill('SIGKILL');
    expect((await running.ended).signal).toBe('SIGKILL');
    const before = await explanation(run, env);
    expect(before).toMatchObject({ exitCode: null, interrupted: { phase: 'exec' } });
    expect(before.left.length).toBeGreaterThan(0);

    const reaped = await cli(['reap', '--json'], { env });
    expect(reaped.status).toBe(0);
    expect(JSON.parse(reaped.stdout).runs).toMatchObject([{ run, outcome: 'finished', left: [], concluded: true }]);
    for (const { name } of before.left) if (name.startsWith('/')) expect(existsSync(name)).toBe(false);

    expect(await explanation(run, env)).toMatchObject({ exitCode: 20, cause: { class: 'runner-killed' }, left: [] });
    const again = await cli(['reap'], { env });
    expect(again).toEqual({ status: 0, signal: null, stdout: 'Nothing to reap.\n', stderr: '' });
    expect((await cli(['replay', run], { env })).status).toBe(0);
  });

  test('leaves no process of its test, which nobody else would end', async () => {
    const { running, lifeline, env } = await runningTest("trap '' HUP INT TERM PIPE");
    running.kill('SIGKILL');
    await running.ended;
    await lifeline.released;
    expect((await cli(['reap'], { env })).status).toBe(0);
  });

  test('is reaped by its id, by its beginning, and by its output directory', async () => {
    const out = join(workplace(), 'out');
    const { running, run, env } = await runningTest('', ['-o', out]);
    running.kill('SIGKILL');
    await running.ended;
    const [id, beginning, directory] = [
      await cli(['reap', run], { env }),
      await cli(['reap', run.slice(0, 6)], { env }),
      await cli(['reap', out], { env }),
    ];
    expect([id.status, beginning.status, directory.status]).toEqual([0, 0, 0]);
    expect(id.stdout).toMatch(`Run ${run}: finished. Its trace now says that it was killed.\n`);
    expect(beginning.stdout).toBe(`Run ${run}: has ended and left nothing.\n`);
    expect(directory.stdout).toBe(beginning.stdout);
  });
});

test('a run that still goes is not reaped', async () => {
  const { running, run, env } = await runningTest();
  const reaped = await cli(['reap'], { env });
  expect(reaped).toMatchObject({ status: 0, stdout: '1 run is still going and left alone.\n' });
  expect((await cli(['reap', run], { env })).stdout).toBe(`Run ${run}: is still going; left alone.\n`);
  running.kill('SIGINT');
  expect((await running.ended).status).toBe(130);
});

test('a signal to trundle exec ends the command too', async () => {
  const lifeline = forThisTest(makeLifeline(workplace()));
  const running = new Cli(['exec', lifeline.linger, '--', 'null'], { env: ownState() });
  await lifeline.held;
  running.kill('SIGINT');
  const end = await running.ended;
  expect([end.status, end.stdout]).toEqual([130, '']);
  expect(end.stderr).toContain('SIGINT: taking the testbed down');
  await lifeline.released;
});

test('a fault of our own is told, and the testbed is taken down all the same', async () => {
  const place = workplace();
  const lifeline = forThisTest(makeLifeline(place));
  const boom = join(place, 'boom.mjs');
  writeFileSync(boom, "process.on('SIGUSR2', () => { throw new Error('boom'); });\n");
  const env = ownState();
  const running = new Cli(['exec', lifeline.linger, '--', 'null'], { env, preload: [boom] });
  await lifeline.held;
  running.kill('SIGUSR2');
  const end = await running.ended;
  expect(end.status).toBe(20);
  expect(end.stderr).toContain('trundle: internal error: Error: boom');
  expect(end.stderr).toContain('please report it; the trace is in ');
  await lifeline.released;
  const [run] = readdirSync(join(env.XDG_STATE_HOME, 'trundle/runs'));
  expect(await explanation(run ?? '', env)).toMatchObject({
    exitCode: 20,
    cause: { class: 'internal-error' },
    left: [],
  });
});
