import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunResults } from '../../src/index.ts';
import { PROVIDERS, type Provider } from '../faults/support/providers.ts';
import { type Chroot, defineChroot } from '../support/chroots.ts';
import { IMAGE_PATIENCE, tinyRoot } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { makePackage, type PackagePlan } from '../support/packages.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { Cli, cli, ownState } from './support/cli.ts';
import { Terminal } from './support/terminal.ts';

/** Tests that leave something behind where only they can have. */
const FAILS = {
  restrictions: 'needs-root',
  script: 'echo of-$AUTOPKGTEST_ARTIFACTS >"$AUTOPKGTEST_TMP/left"; echo x >/etc/touched; exit 3',
};
const PASSES = { restrictions: 'needs-root', script: '! [ -e /etc/touched ] || exit 9; echo y >/etc/passed' };

/** The backends whose testbeds can stay. */
const STAYING: readonly string[] = ['schroot', 'podman', 'docker', 'lxd', 'incus'];
/** Those of which it is enough to know that theirs do: when they do is the runner's to say, of all alike. */
const BRIEF: readonly string[] = ['podman', 'docker', 'lxd', 'incus'];

/** A kind of testbed that can stay. */
interface Kind {
  /** The backend and its options. */
  words(): readonly string[];
  /** What of its testbeds there is on this machine. */
  standing(run: string): string[];
}

interface KeptRun {
  readonly status: number | null;
  readonly stderr: string;
  readonly results: RunResults;
  readonly env: Readonly<Record<string, string>>;
}

/** A run with `--keep`, as a person sees it and as programs do. */
async function keptRun(kind: Kind, keep: string, tests: PackagePlan['tests'] & object): Promise<KeptRun> {
  const place = workplace();
  const env = { ...ownState(), XDG_CACHE_HOME: join(place, 'cache') };
  const [source, out] = [makePackage(place, { tests }), join(place, 'out')];
  const { status, stderr } = await cli(['run', '-o', out, '-B', keep, source, '--', ...kind.words()], { env });
  return { status, stderr, results: JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')), env };
}

/** Runs a line in the testbed as a person would: types it into the shell that the printed command opens. */
async function typed(stderr: string, line: string): Promise<string> {
  const [, enter = ''] = /to get in: +(.*)/.exec(stderr) ?? [];
  const terminal = new Terminal([], {}, enter);
  terminal.type(`${line}; echo end-$((6 * 7)); exit\n`);
  await terminal.shows('end-42');
  await terminal.ended;
  return terminal.output;
}

/** The names of all sessions of schroot. */
function sessions(): string[] {
  return execFileSync('schroot', ['--list', '--all-sessions'], { encoding: 'utf8' }).split('\n');
}

/** A chroot with a tiny root, whose sessions are overlays on it. */
function overlays(): Chroot {
  return forThisTest(
    defineChroot((directory) => ({
      type: 'directory',
      directory: tinyRoot(join(directory, 'root')),
      'union-type': 'overlay',
    })),
  );
}

/** What can be said of every kind of testbed that can stay. */
function keeps(name: string, make: () => Kind): void {
  test('stays with the files of its tests, until it is reaped by name', async () => {
    const kind = make();
    const { status, stderr, results, env } = await keptRun(kind, '--keep', { fails: FAILS });
    const { run, kept } = results;
    expect(status, stderr).toBe(4);
    expect(kept).toMatchObject([{ testbed: 'tb1', remove: ['trundle', 'reap', expect.any(String)] }]);
    const scratch = kept[0]?.scratch ?? '';
    const seen = await typed(stderr, `cat ${scratch}/autopkgtest_tmp/left; ls ${scratch}/tree/debian/tests`);
    expect(seen).toContain(`of-${scratch}/fails-artifacts`);
    expect(seen).toMatch(/fails\s/);

    if (!BRIEF.includes(name)) {
      const replayed = await cli(['replay', run], { env });
      expect([replayed.status, replayed.stdout]).toEqual([0, expect.stringContaining('the same')]);
      const told = await cli(['explain', run], { env });
      expect(told.stdout).toContain('Kept on purpose:\n  testbed tb1: ');
      expect(told.stdout).not.toContain('Left behind');
    }

    const bare = await cli(['reap'], { env });
    expect([bare.status, bare.stdout]).toEqual([
      0,
      expect.stringMatching(
        /keeps what it was told to keep; left alone.\n {2}kept {5}testbed tb1: .* gets in; trundle/,
      ),
    ]);
    expect(kind.standing(run)).not.toEqual([]);
    const [, removal = ''] = /to remove it: +trundle (.*)/.exec(stderr) ?? [];
    const reaped = await cli([...removal.split(' '), '--json'], { env });
    expect(JSON.parse(reaped.stdout).runs).toMatchObject([{ outcome: 'finished', left: [], kept: [] }]);
    expect(kind.standing(run)).toEqual([]);
    expect((await cli(['reap', run, '--json'], { env })).stdout).toContain('"clean"');
  });

  if (!BRIEF.includes(name)) keepsOnFailure(make);
}

function keepsOnFailure(make: () => Kind): void {
  test('stays with on-failure as a failed test left it, and the next test gets another, which goes', async () => {
    const kind = make();
    const { stderr, results, env } = await keptRun(kind, '--keep=on-failure', { fails: FAILS, passes: PASSES });
    expect(results.tests.map(({ outcome }) => outcome)).toEqual(['fail', 'pass']);
    expect(results.kept.map(({ testbed }) => testbed)).toEqual(['tb1']);
    expect(await typed(stderr, 'cat /etc/touched; ls /etc')).not.toMatch(/passed/);
    await cli(['reap', results.run], { env });
    expect(kind.standing(results.run)).toEqual([]);
  });

  test('goes with on-failure where nothing failed', async () => {
    const kind = make();
    const { status, stderr, results } = await keptRun(kind, '--keep=on-failure', { passes: PASSES });
    expect([status, results.kept]).toEqual([0, []]);
    expect(stderr).not.toContain('kept');
    expect(kind.standing(results.run)).toEqual([]);
  });
}

for (const { name, needs, make } of PROVIDERS.filter(({ name }) => STAYING.includes(name))) {
  describeWith([...needs, 'node-pty'], `a testbed of ${name}`, () => {
    let provider: Provider;
    let image = '';
    beforeAll(async () => {
      provider = await make();
      image = provider.image();
    }, IMAGE_PATIENCE);
    afterAll(() => provider?.[Symbol.asyncDispose]());
    keeps(name, () => ({
      words: () => provider.words(image),
      standing: (run) => provider.testbeds?.(run) ?? sessions().filter((session) => session.includes(run)),
    }));
  });
}

describeWith([], 'a testbed that cannot stay', () => {
  const refusal = 'a testbed of the backend null cannot be kept: it is this machine itself';

  test('is refused before anything is made, and the message says whose it is', async () => {
    const place = workplace();
    const words = ['run', '-o', join(place, 'out'), '--keep', makePackage(place, { tests: { passes: PASSES } })];
    const { status, stderr } = await cli([...words, '--', 'null'], { env: ownState() });
    expect([status, stderr]).toEqual([20, expect.stringContaining(refusal)]);
  });

  test('is refused for a command alike, and that it is not to stay is no matter', async () => {
    const env = ownState();
    const refused = await cli(['exec', '--keep', 'true', '--', 'null'], { env });
    expect([refused.status, refused.stderr]).toEqual([20, expect.stringContaining(refusal)]);
    expect(readdirSync(env.XDG_STATE_HOME)).toEqual([]);
    expect((await cli(['exec', '--keep=never', 'echo', '--keep', '--', 'null'], { env })).stdout).toBe('--keep\n');
  });
});

describeWith(['root', 'schroot', 'busybox', 'overlay'], 'trundle exec --keep', () => {
  test('leaves the testbed as the command left it, with the words by which run tells of one', async () => {
    const [chroot, env] = [overlays(), ownState()];
    const { status, stdout, stderr } = await cli(
      ['exec', '--keep', 'echo left >/etc/touched; echo done', '--', 'schroot', chroot.name],
      { env },
    );
    expect([status, stdout], stderr).toEqual([0, 'done\n']);
    const told = /^trundle: testbed tb1 is kept\ntrundle: +to get in: +(.*)\ntrundle: +to remove it: +trundle (.*)\n$/;
    expect(stderr).toMatch(told);
    const [, enter = '', removal = ''] = told.exec(stderr) ?? [];
    expect(chroot.sessions()).toHaveLength(1);
    expect(execFileSync('sh', ['-c', enter], { input: 'cat /etc/touched\n', encoding: 'utf8' })).toContain('left\n');
    expect((await cli(['reap'], { env })).stdout).toContain('keeps what it was told to keep; left alone');
    expect(chroot.sessions()).toHaveLength(1);
    const reaped = await cli([...removal.split(' '), '--json'], { env });
    expect(JSON.parse(reaped.stdout).runs).toMatchObject([{ outcome: 'finished', left: [], kept: [] }]);
    expect(chroot.sessions()).toEqual([]);
  });

  test.each([
    ['exit 3', 3, 1],
    ['kill -9 $$', 137, 1],
    ['true', 0, 0],
  ])('with on-failure depends on how the command ended: %s', async (line, status, standing) => {
    const [chroot, env] = [overlays(), ownState()];
    const words = ['exec', '--keep=on-failure', '--json', line, '--', 'schroot', chroot.name];
    const end = await cli(words, { env });
    const { run, exitCode, kept } = JSON.parse(end.stdout);
    expect([end.status, exitCode]).toEqual([status, status]);
    expect(kept).toHaveLength(standing);
    if (standing > 0) expect(kept).toMatchObject([{ testbed: 'tb1', remove: ['trundle', 'reap', run] }]);
    expect(chroot.sessions()).toHaveLength(standing);
    const replayed = await cli(['replay', run], { env });
    expect([replayed.status, replayed.stdout]).toEqual([0, expect.stringContaining('the same')]);
    await cli(['reap', run], { env });
    expect(chroot.sessions()).toEqual([]);
  });

  test('tells of none that did not come up', async () => {
    const { status, stderr } = await cli(['exec', '--keep', 'true', '--', 'schroot', 'of-nobody'], { env: ownState() });
    expect(status).toBe(16);
    expect(stderr).not.toContain('is kept');
  });
});

describeWith(['root', 'schroot', 'busybox', 'overlay', 'node-pty'], 'trundle shell --keep', () => {
  test.each([
    ['--keep', 'exit', 'which stays when it ends', 1],
    ['--keep=on-failure', 'exit 4', 'which is removed when it ends with exit status 0', 1],
    ['--keep=on-failure', 'exit', 'which is removed when it ends with exit status 0', 0],
  ])('%s leaves the testbed, or not: %s', async (keep, last, fate, standing) => {
    const [chroot, env] = [overlays(), ownState()];
    const terminal = new Terminal(['shell', keep, '--', 'schroot', chroot.name], env);
    await terminal.shows(fate);
    terminal.type('echo in-the-$((6 * 7))\n');
    await terminal.shows('in-the-42');
    terminal.type(`${last}\n`);
    await terminal.ended;
    expect(chroot.sessions()).toHaveLength(standing);
    const [, removal] = /to remove it: +trundle (reap \w+)/.exec(terminal.output) ?? [];
    expect(removal !== undefined).toBe(standing > 0);
    if (removal !== undefined) await cli(removal.split(' '), { env });
    expect(chroot.sessions()).toEqual([]);
  });
});

describeWith(['root', 'schroot', 'busybox', 'overlay'], 'Ctrl-C with --keep', () => {
  test.each([
    ['once leaves the testbed', 1],
    ['twice removes it', 2],
  ])('%s', async (_, times) => {
    const place = workplace();
    const env = ownState();
    const chroot = overlays();
    const source = makePackage(place, { tests: { lingers: 'trap "" TERM; sleep 1000' } });
    const running = new Cli(['run', '--json', '-B', '--keep', source, '--', 'schroot', chroot.name], { env });
    const { run } = await running.event('test.started');
    running.kill('SIGINT');
    await running.event('operator.signalled');
    if (times === 2) running.kill('SIGINT');
    expect((await running.ended).status).toBe(130);
    expect(chroot.sessions()).toHaveLength(2 - times);
    await cli(['reap', run], { env });
    expect(chroot.sessions()).toEqual([]);
  });

  test.each([
    ['once leaves the testbed of a command', '--keep', 1, 1],
    ['twice removes that too', '--keep', 2, 0],
    ['is no failure', '--keep=on-failure', 1, 0],
  ])('%s', async (_, keep, times, standing) => {
    const [chroot, env] = [overlays(), ownState()];
    // The second signal has to come while the first one's work is under way.
    const line = `${times === 2 ? 'trap "" TERM; ' : ''}echo going on; sleep 1000`;
    const running = new Cli(['exec', keep, line, '--', 'schroot', chroot.name], { env });
    await running.says('going on');
    running.kill('SIGINT');
    await running.says('SIGINT: ');
    if (times === 2) running.kill('SIGINT');
    const { status, stderr } = await running.ended;
    expect(status, stderr).toBe(130);
    expect(stderr).toContain(keep === '--keep' ? 'SIGINT: ending, and keeping the testbed' : 'SIGINT: taking');
    expect(stderr.includes('testbed tb1 is kept')).toBe(standing > 0);
    expect(chroot.sessions()).toHaveLength(standing);
    const { run } = JSON.parse((await cli(['explain', '--last', '--json'], { env })).stdout);
    await cli(['reap', run], { env });
    expect(chroot.sessions()).toEqual([]);
  });
});
