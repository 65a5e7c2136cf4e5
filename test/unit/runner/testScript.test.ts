import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { TestProgram } from '../../../src/runner/control/testControl.ts';
import { parseFacts, type TestbedFacts } from '../../../src/runner/session/facts.ts';
import { KEEPER_SCRIPT } from '../../../src/runner/session/ScratchKeeper.ts';
import {
  type EnvironmentOptions,
  quote,
  testArgv,
  testEnvironment,
  testScript,
} from '../../../src/runner/session/testScript.ts';

const facts: TestbedFacts = {
  architecture: 'amd64',
  dpkg: true,
  dpkgSource: true,
  installs: false,
  eatmydata: false,
  shell: 'bash',
  processors: '4',
  kernel: null,
  cpuModel: null,
  cpuFlags: null,
};

let directory: string;
let paths: EnvironmentOptions['paths'];
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'trundle-script-'));
  paths = {
    tree: path.join(directory, "tree with 'quotes"),
    temporary: `${directory}/tmp`,
    artifacts: `${directory}/art`,
  };
  mkdirSync(path.join(paths.tree, 'debian/tests'), { recursive: true });
  const file = (name: string, text: string) => {
    writeFileSync(path.join(paths.tree, 'debian/tests', name), text);
    chmodSync(path.join(paths.tree, 'debian/tests', name), 0o755);
  };
  file('show', '#!/bin/sh\npwd; echo "$AUTOPKGTEST_TMP|$LANG|$LC_ALL|$FROM_PROFILE|$USER"; exit 3\n');
  file('bare', 'echo no interpreter named\n');
  file('lost', '#!/no/such/interpreter\n');
  file('spaced', '#! \t/bin/sh -u\necho "$0 $-"\n');
  file('dos', '#!/bin/sh\r\necho never\n');
  writeFileSync(path.join(directory, '.profile'), 'FROM_PROFILE=yes; export FROM_PROFILE\nfalse\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

const base = (): EnvironmentOptions => ({
  paths,
  facts,
  normalUser: null,
  parallel: null,
  mark: null,
  testArchitecture: facts.architecture,
  cross: {},
  extra: [],
});

function run(shell: 'bash' | 'sh', script: string, login: Record<string, string> = { LC_ALL: 'de_DE.UTF-8' }) {
  const env = { PATH: process.env.PATH ?? '', HOME: directory, ...login };
  const [program = '', ...args] = testArgv(shell, script);
  const { status, signal, stdout, stderr } = spawnSync(program, args, { env, encoding: 'utf8' });
  return { status, signal, stdout, stderr };
}

describe('the environment of a test', () => {
  it('has what DEP-8 promises, under old names as well', () => {
    expect(testEnvironment({ ...base(), normalUser: 'joe' })).toEqual({
      AUTOPKGTEST_TMP: paths.temporary,
      ADTTMP: paths.temporary,
      AUTOPKGTEST_ARTIFACTS: paths.artifacts,
      ADT_ARTIFACTS: paths.artifacts,
      AUTOPKGTEST_NORMAL_USER: 'joe',
      ADT_NORMAL_USER: 'joe',
      AUTOPKGTEST_TESTBED_ARCH: 'amd64',
      AUTOPKGTEST_TEST_ARCH: 'amd64',
      DEBIAN_FRONTEND: 'noninteractive',
      DEB_BUILD_OPTIONS: 'parallel=4',
      LANG: 'C.UTF-8',
    });
  });

  it('says nothing of what nobody knows', () => {
    const unknown = { ...facts, architecture: null, processors: null };
    const names = Object.keys(testEnvironment({ ...base(), facts: unknown }));
    expect(names.filter((name) => /ARCH$|USER$|OPTIONS$/.test(name))).toEqual([]);
  });

  it('lets the operator have the last word', () => {
    const environment = testEnvironment({ ...base(), parallel: 1, extra: ['LANG=de_DE.UTF-8', 'EMPTY=', 'EQ=a=b'] });
    expect(environment).toMatchObject({ DEB_BUILD_OPTIONS: 'parallel=1', LANG: 'de_DE.UTF-8', EMPTY: '', EQ: 'a=b' });
  });
});

describe.each(['bash', 'sh'] as const)('a test started by %s', (shell) => {
  it('stands in the tree, with the profile read and the locale set', () => {
    const script = testScript({ kind: 'file', path: 'debian/tests/show' }, paths, testEnvironment(base()));
    const { status, stdout } = run(shell, script);
    const [cwd, variables] = stdout.split('\n');
    expect(cwd).toBe(paths.tree);
    expect(variables).toMatch(new RegExp(`^${paths.temporary}\\|C\\.UTF-8\\|\\|yes\\|.+`));
    expect(status).toBe(3);
  });

  it('needs no interpreter line', () => {
    expect(run(shell, testScript({ kind: 'file', path: 'debian/tests/bare' }, paths, {})).stdout).toBe(
      'no interpreter named\n',
    );
  });

  it('has its interpreter with what follows its name', () => {
    const { stdout } = run(shell, testScript({ kind: 'file', path: 'debian/tests/spaced' }, paths, {}));
    expect(stdout).toMatch(/debian\/tests\/spaced .*u/);
  });

  it('knows who runs it', () => {
    const { stdout } = run(shell, testScript({ kind: 'command', command: 'echo "$USER"' }, paths, {}));
    expect(stdout).toBe(spawnSync('id', ['-nu'], { encoding: 'utf8' }).stdout);
  });

  it.each(['lost', 'dos', 'absent'])('fails as it would from sh where it cannot be started: %s', (name) => {
    const { status, stderr, stdout } = run(
      shell,
      testScript({ kind: 'file', path: `debian/tests/${name}` }, paths, {}),
    );
    const program = path.join(paths.tree, 'debian/tests', name);
    const fromSh = spawnSync('sh', ['-c', 'exec "$0"', program], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: fromSh.status, stdout: '' });
    expect(stderr).toBe(fromSh.stderr);
  });

  it.each([
    { LC_ALL: 'xx_XX.UTF-8' },
    { LANG: 'xx_XX.UTF-8' },
    { LC_CTYPE: 'xx_XX.UTF-8' },
    { LANG: 'xx_XX.UTF-8', LC_COLLATE: 'xx_XX.UTF-8' },
  ])('has nothing on stderr of a locale that the testbed lacks: %o', (locale) => {
    const script = testScript({ kind: 'file', path: 'debian/tests/bare' }, paths, testEnvironment(base()));
    expect(run(shell, script, locale).stderr).toBe('');
  });

  it.each<TestProgram>([
    { kind: 'file', path: 'debian/tests/bare' },
    { kind: 'command', command: 'true' },
  ])('has nothing on stderr of what the start-up file of a login by SSH says: %o', (program) => {
    const home = mkdtempSync(path.join(directory, 'home-'));
    writeFileSync(path.join(home, '.bashrc'), 'echo hello from .bashrc >&2\n');
    const login = { HOME: home, SSH_CLIENT: '::1 1 22' };
    expect(run(shell, testScript(program, paths, {}), login)).toMatchObject({ status: 0, stderr: '' });
  });

  it('that is a command stops at the first failure', () => {
    const script = testScript({ kind: 'command', command: `echo 'a"b'; false; echo never` }, paths, {});
    expect(run(shell, script)).toMatchObject({ status: 1, stdout: 'a"b\n' });
  });

  it('ends as it ends, also by a signal', () => {
    expect(run(shell, testScript({ kind: 'command', command: 'kill -9 $$' }, paths, {}))).toMatchObject({
      status: null,
      signal: 'SIGKILL',
    });
  });
});

describe('quoting', () => {
  it('brings every string through a shell unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', "'", '"', '\\', '$', '`', ' ', '\n', '!', 'é') }), (word) => {
        expect(run('sh', `printf %s ${quote(word)}`).stdout).toBe(word);
      }),
      { numRuns: 25 },
    );
  });
});

describe('the facts of a testbed', () => {
  it('are printed by a script that every shell can run, and that tidies up when its input ends', () => {
    const { status, stdout } = spawnSync('sh', ['-c', KEEPER_SCRIPT, 'sh', '755'], {
      env: { PATH: process.env.PATH ?? '', TMPDIR: directory },
      input: '',
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ready$/m);
    const { scratch, facts: found } = parseFacts(stdout);
    expect(scratch).toMatch(new RegExp(`^${directory}/autopkgtest\\.`));
    expect(existsSync(scratch ?? '')).toBe(false);
    expect(found.processors).toMatch(/^\d+$/);
    expect(found.kernel).toBe(spawnSync('uname', ['-srv'], { encoding: 'utf8' }).stdout.trim());
    const root = spawnSync('sh', ['-c', '[ "$(id -u)" = 0 ] && [ -w /var/lib/dpkg/status ]']).status === 0;
    expect(found.installs).toBe(root);
  });

  it('are not asked for where the user who is wanted is not there', () => {
    const keep = (user: string) =>
      spawnSync('sh', ['-c', KEEPER_SCRIPT, 'sh', '755', user], {
        env: { PATH: process.env.PATH ?? '', TMPDIR: directory },
        input: '',
        encoding: 'utf8',
      });
    expect(keep('no such user')).toMatchObject({ status: 1, stdout: 'user=unknown\n', stderr: '' });
    expect(keep('root').stdout).toMatch(/^ready$/m);
  });

  it.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('are gone with the scratch directory after %s', async (signal) => {
    const keeper = spawn('sh', ['-c', KEEPER_SCRIPT, 'sh', '700'], {
      env: { PATH: process.env.PATH ?? '', TMPDIR: directory },
    });
    let said = '';
    const scratch = await new Promise<string>((resolve) => {
      keeper.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (/^ready$/m.test(said)) resolve(parseFacts(said).scratch ?? '');
      });
    });
    expect(statSync(scratch).mode & 0o777).toBe(0o700);
    expect(scratch).toMatch(/\/autopkgtest\.[0-9a-zA-Z]{6}$/);
    keeper.kill(signal);
    const status = await new Promise((resolve) => keeper.once('exit', resolve));
    expect(status).toBe(0);
    expect(existsSync(scratch)).toBe(false);
  });

  it.each(['', 'goodbye\n'])('are gone with the build that is under way there (%j)', async (last) => {
    const keeper = spawn('sh', ['-c', KEEPER_SCRIPT, 'sh', '700'], {
      env: { PATH: process.env.PATH ?? '', TMPDIR: directory },
    });
    const scratch = await new Promise<string>((resolve) => {
      keeper.stdout.on('data', (chunk: Buffer) => {
        const said = parseFacts(chunk.toString()).scratch;
        if (said !== null) resolve(said);
      });
    });
    mkdirSync(`${scratch}/build/src`, { recursive: true });
    const build = spawn('sleep', ['600'], { env: { ...process.env, TRUNDLE_BUILD: `${scratch}/build/src` } });
    onTestFinished(() => void build.kill('SIGTERM'));
    const ended = new Promise((resolve) => build.once('exit', (_, signal) => resolve(signal)));
    await once(build, 'spawn');
    keeper.stdin.end(last);
    expect(await ended).toBe('SIGKILL');
  });

  it('are unknown where the testbed does not tell', () => {
    expect(parseFacts('scratch=/tmp/x\narchitecture=\n')).toEqual({
      scratch: '/tmp/x',
      helps: false,
      sweeps: false,
      facts: {
        architecture: null,
        dpkg: false,
        dpkgSource: false,
        installs: false,
        eatmydata: false,
        shell: 'sh',
        processors: null,
        kernel: null,
        cpuModel: null,
        cpuFlags: null,
      },
    });
  });
});
