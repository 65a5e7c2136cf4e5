import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { schrootBackend } from '../../src/backends/schroot/index.ts';
import type { TrundleEvent } from '../../src/events/index.ts';
import type { ClosedTestbed } from '../../src/testbed/index.ts';
import { Cli, cli } from '../e2e/support/cli.ts';
import { type Chroot, type ChrootKeys, defineChroot, unpackedImage } from '../support/chroots.ts';
import { bootableImage, IMAGE_PATIENCE, tinyImage, tinyRoot } from '../support/images.ts';
import { makeLifeline } from '../support/lifeline.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { open, refusal } from './support/open.ts';
import { makeOrdinary } from './support/ordinary.ts';

/** A chroot with a tiny root, whose sessions are overlays on it. */
function tinyChroot(keys: ChrootKeys = {}): Chroot {
  return forThisTest(
    defineChroot((directory) => ({
      type: 'directory',
      directory: tinyRoot(join(directory, 'root')),
      'union-type': 'overlay',
      ...keys,
    })),
  );
}

describeWith(['root', 'schroot', 'busybox', 'overlay'], 'schroot', () => {
  test('gives a session that forgets what was done to it', async () => {
    const chroot = tinyChroot();
    const { testbed } = await open(['schroot', chroot.name]);
    expect(testbed.endpoint).toMatchObject({ server: 'stand-in', login: 'root', normalUser: 'user' });
    expect(testbed.capabilities).toEqual(['root-on-testbed', 'revert']);
    expect(chroot.sessions()).toHaveLength(1);
    await testbed.exec('echo x >/etc/x; rm /etc/hostname; sleep 1000 >/dev/null 2>&1 &');
    await testbed.revert();
    const { stdout } = await testbed.exec('ls /etc; ps | grep -c "[s]leep 1000"');
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['hostname', '0']));
    expect(stdout).not.toMatch(/^x$/m);
    await testbed.close();
    expect(chroot.sessions()).toEqual([]);
  });

  test('unpacks a tarball for each session', async () => {
    const chroot = forThisTest(
      defineChroot((directory) => ({ type: 'file', file: tinyImage(join(directory, 'tiny.tar')) })),
    );
    const { testbed } = await open(['schroot', chroot.name, '--session-id', `${chroot.name}-one`]);
    expect(await testbed.exec(['cat', '/etc/hostname'])).toMatchObject({ stdout: 'tiny\n' });
    expect(chroot.sessions()).toEqual([`session:${chroot.name}-one`]);
  });

  test.each(['private', 'shared'])('unmounts what has been mounted in it (%s), and nothing else', async (kind) => {
    const chroot = tinyChroot();
    const { testbed } = await open(['schroot', chroot.name, '--session-id', `${chroot.name}-one`]);
    const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    const mounted = () => mounts().filter((line) => line.includes(`/${chroot.name}-one`));
    const others = () => mounts().filter((line) => / (\/proc|\/sys|\/dev|\/dev\/pts) /.test(line));
    const before = others();
    await testbed.exec('mkdir -p /mnt');
    const at = join('/run/schroot/mount', `${chroot.name}-one`, 'mnt');
    execFileSync('mount', ['-t', 'tmpfs', `--make-${kind}`, 'none', at]);
    expect(mounted()).toContainEqual(expect.stringContaining(at));
    const { leftovers } = await testbed.close();
    expect(leftovers).toEqual([]);
    expect(mounted()).toEqual([]);
    expect(others()).toEqual(before);
  });

  test('goes in while schroot has yet to run its last scripts, where they cannot matter', async () => {
    const early = async (keys: ChrootKeys) => {
      const { log } = await open(['schroot', tinyChroot(keys).name]);
      const at = (wanted: (event: TrundleEvent) => boolean) => log.events.findIndex(wanted);
      const init = at((event) => event.type === 'resource.acquired' && event.kind === 'process');
      return init < at(({ type }) => type === 'provision.completed');
    };
    expect(await early({})).toBe(true);
    expect(await early({ 'setup.nssdatabases': 'minimal/nssdatabases' })).toBe(true);
    // A file of shell commands, which may set anything.
    const file = join(workplace(), 'config');
    writeFileSync(file, '');
    expect(await early({ 'setup.config': relative('/etc/schroot', file) })).toBe(false);
  });

  test('has all processors that there are, to whichever schroot itself was kept', async () => {
    const { testbed } = await open(['schroot', tinyChroot().name]);
    const { stdout } = await testbed.exec('grep ^Cpus_allowed_list: /proc/self/status');
    expect(stdout.trim()).toBe(/^Cpus_allowed_list:.*$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[0]);
  });

  test('asks schroot anew what it is to do, once that is configured otherwise', async () => {
    const chroot = tinyChroot();
    const { testbed } = await open(['schroot', chroot.name]);
    await testbed.close();
    const file = `/etc/schroot/chroot.d/${chroot.name}`;
    writeFileSync(file, readFileSync(file, 'utf8').replace('union-type=overlay', 'union-type=none'));
    expect(await refusal(['schroot', chroot.name])).toMatchObject({ code: 'no-sessions' });
  });

  test('goes in through schroot where that changes more than the root, and tells signals all the same', async () => {
    const { testbed } = await open(['schroot', tinyChroot({ personality: 'linux32' }).name]);
    expect(await testbed.exec('uname -m')).toMatchObject({ stdout: process.arch === 'x64' ? 'i686\n' : /./ });
    expect(await testbed.exec('kill -TERM $$')).toMatchObject({ status: 143, stderr: '' });
    expect(await testbed.exec('exit 7')).toMatchObject({ status: 7 });
  });

  test('ends with its runner: reap ends the session', async () => {
    const chroot = tinyChroot();
    const directory = workplace();
    using lifeline = makeLifeline(directory);
    const env = { TMPDIR: workplace(), XDG_STATE_HOME: workplace() };
    const trace = join(directory, 'trace');
    // What the session sees of this machine is only what its profile binds.
    const fstab = join(chroot.directory, 'fstab');
    appendFileSync(fstab, `${directory} /srv none rw,bind 0 0\n`);
    const inside = lifeline.linger.replaceAll(directory, '/srv');
    const words = ['exec', '--trace', trace, '-n', 'sh', '-c', `(${inside}) & wait`, '--', 'schroot', chroot.name];
    const running = new Cli(words, { env });
    await lifeline.held;
    running.process.kill('SIGKILL');
    await running.ended;
    await lifeline.released;
    expect(chroot.sessions()).toHaveLength(1);
    const reaped = await cli(['reap', '--json', `${trace}/`], { env });
    expect(JSON.parse(reaped.stdout).runs).toMatchObject([{ outcome: 'finished', left: [], concluded: true }]);
    expect(chroot.sessions()).toEqual([]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(chroot.directory);
  });
});

describeWith(['root', 'schroot', 'busybox', 'overlay', 'useradd'], 'schroot as an ordinary user', () => {
  test.each([
    { key: 'root-users', whoami: 'root', id: '0' },
    { key: 'users', whoami: 'the user', id: 'theirs' },
  ])('who is in $key is $whoami', async ({ key, id }) => {
    using user = makeOrdinary({ subuids: false });
    const keys = { users: user.login, [key]: user.login };
    const chroot = tinyChroot(keys);
    if (key === 'users')
      appendFileSync(
        join(chroot.directory, 'root/etc/passwd'),
        `${user.login}:x:${user.uid}:${user.uid}::/tmp:/bin/sh\n`,
      );
    spawnSync('chmod', ['755', chroot.directory]);
    spawnSync('chmod', ['1777', join(chroot.directory, 'root/tmp')]);
    const end = await user.run(['exec', '-n', 'id -u; kill -0 1 2>/dev/null; pwd', '--', 'schroot', chroot.name]);
    expect(end.stderr).toBe('');
    expect(end.stdout).toBe(id === '0' ? '0\n/root\n' : `${user.uid}\n/tmp\n`);
    expect(chroot.sessions()).toEqual([]);
  });

  test('who is in neither is told where to stand', async () => {
    using user = makeOrdinary({ subuids: false });
    const chroot = tinyChroot({ users: 'root' });
    const end = await user.run(['exec', '-n', 'true', '--', 'schroot', chroot.name]);
    expect(end.status).not.toBe(0);
    expect(end.stderr).toMatch(
      /no-permission: .*schroot does not let this user in \(to mend it: as root: add yourself to users=/,
    );
  });

  test('is told which chroots let them in, and as whom; where none does, where to stand', async () => {
    using user = makeOrdinary({ subuids: false });
    using other = makeOrdinary({ subuids: false });
    const define = (key: string) => tinyChroot({ [key]: `root,${user.login}` }).name;
    const asItself = ['users', 'groups'].map(define);
    const asRoot = ['root-users', 'root-groups'].map(define);
    const never = define('source-users');
    const told = async ({ run }: typeof user) =>
      JSON.parse((await run(['backends', 'schroot', '--json'])).stdout).availability;
    const { available, detail } = await told(user);
    const [first, second] = detail.split('; ');
    const names = (part: string) => part.replace(/^.*: /, '').split(', ');
    expect([available, first, second]).toEqual([
      true,
      expect.stringMatching(/^chroots: /),
      expect.stringMatching(/^chroots without a root in them: /),
    ]);
    expect(names(first)).toEqual(expect.arrayContaining(asRoot));
    expect(names(second)).toEqual(expect.arrayContaining(asItself));
    expect(detail).not.toContain(never);
    expect(await told(other)).toEqual({
      available: false,
      missing: expect.stringMatching(new RegExp(`^no chroot lets ${other.login} in \\(.*${never}.*\\)$`)),
      remedy: expect.stringMatching(new RegExp(`^as root: add ${other.login} to users= .* in /etc/schroot/chroot.d/$`)),
    });
  });
});

describeWith(['root', 'schroot', 'busybox', 'overlay'], 'schroot says what is wrong', () => {
  test('where no chroot of that name is known', async () => {
    const chroot = tinyChroot();
    expect(await refusal(['schroot', 'trundle-none'])).toMatchObject({
      code: 'image-missing',
      message: expect.stringContaining('schroot knows no chroot trundle-none'),
      remedy: expect.stringContaining(chroot.name),
      class: 'provision-failed',
    });
    expect(await schrootBackend.probe()).toMatchObject({
      available: true,
      detail: expect.stringContaining(chroot.name),
    });
  });

  test('nothing where a chroot has aliases, as those of sbuild-createchroot', async () => {
    const alias = `trundle-alias-${randomBytes(4).toString('hex')}`;
    tinyChroot({ aliases: alias });
    const { available, detail } = (await schrootBackend.probe()) as { available: true; detail: string };
    const names = detail.replace(/^chroots: /, '').split(', ');
    expect([available, names.filter((name) => name.startsWith(alias))]).toEqual([true, [alias]]);
  });

  test('where schroot cannot read what chroots there are', async () => {
    const directory = workplace();
    const said =
      'W: line 3 [b]: Deprecated key\nE: /etc/schroot/chroot.d/a: line 8 [a] aliases: a+b: Invalid name\nI: See schroot.conf(5)';
    writeFileSync(join(directory, 'schroot'), `#!/bin/sh\necho '${said}' >&2\nexit 1\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${directory}:${process.env.PATH}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    const message =
      'schroot cannot read what chroots there are: /etc/schroot/chroot.d/a: line 8 [a] aliases: a+b: Invalid name';
    expect(await schrootBackend.probe()).toMatchObject({ available: false, missing: message });
    expect(await refusal(['schroot', 'b'])).toMatchObject({ code: 'config-damaged', message });
  });

  test('where tests would write into the chroot itself', async () => {
    const chroot = tinyChroot({ 'union-type': 'none' });
    expect(await refusal(['schroot', chroot.name])).toMatchObject({
      code: 'no-sessions',
      remedy: expect.stringContaining('union-type=overlay'),
    });
  });

  test('where the chroot has gone, and leaves no half of a session', async () => {
    const chroot = tinyChroot();
    rmSync(join(chroot.directory, 'root'), { recursive: true });
    expect(await refusal(['schroot', chroot.name])).toMatchObject({
      code: 'image-missing',
      message: expect.stringContaining(join(chroot.directory, 'root')),
    });
    expect(chroot.sessions()).toEqual([]);
  });

  test('where one of its last scripts fails, and leaves nothing of what had been begun by then', async () => {
    const chroot = tinyChroot();
    writeFileSync(join(chroot.directory, 'copyfiles'), '/none-such /etc/resolv.conf\n');
    const file = `/etc/schroot/chroot.d/${chroot.name}`;
    appendFileSync(file, `setup.copyfiles=${relative('/etc/schroot', join(chroot.directory, 'copyfiles'))}\n`);
    const refused = await refusal(['schroot', chroot.name]);
    expect(refused).toMatchObject({ class: 'provision-failed', message: expect.stringContaining('/none-such') });
    const acquired = refused.log.events.flatMap((event) =>
      event.type === 'resource.acquired' ? [event.resource] : [],
    );
    const released = refused.log.events.flatMap((event) =>
      event.type === 'resource.released' ? [event.resource] : [],
    );
    // The directory of the testbed, the session, its init.
    expect([acquired.length, released.sort()]).toEqual([3, acquired.sort()]);
    expect(chroot.sessions()).toEqual([]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(chroot.name);
  });

  test('where a service cannot be started, before which nobody goes in', async () => {
    const refused = await refusal(['schroot', tinyChroot({ 'setup.services': 'none-such' }).name]);
    expect(refused).toMatchObject({ code: 'setup-failed', message: expect.stringContaining('70services') });
    const kinds = refused.log.events.flatMap((event) => (event.type === 'resource.acquired' ? [event.kind] : []));
    expect(kinds).toEqual(['directory', 'session']);
  });

  test('where its tarball is cut off', async () => {
    const chroot = forThisTest(
      defineChroot((directory) => {
        const file = tinyImage(join(directory, 'tiny.tar'));
        writeFileSync(file, readFileSync(file).subarray(0, 100_000));
        return { type: 'file', file };
      }),
    );
    expect(await refusal(['schroot', chroot.name])).toMatchObject({ code: 'image-damaged', class: 'provision-failed' });
    expect(chroot.sessions()).toEqual([]);
  });

  test('where the image has no shell', async () => {
    const chroot = tinyChroot();
    rmSync(join(chroot.directory, 'root/bin/sh'));
    expect(await refusal(['schroot', chroot.name])).toMatchObject({ code: 'no-shell', class: 'boot-failed' });
    expect(chroot.sessions()).toEqual([]);
  });

  test('where the name of the session is taken, and leaves that one alone', async () => {
    const chroot = tinyChroot();
    const id = `${chroot.name}-taken`;
    const { testbed } = await open(['schroot', chroot.name, '--session-id', id]);
    expect(await refusal(['schroot', chroot.name, '--session-id', id])).toMatchObject({
      code: 'name-in-use',
      class: 'provision-failed',
    });
    expect(await testbed.exec('echo here')).toMatchObject({ stdout: 'here\n' });
  });

  test('where the init is killed from outside', async () => {
    const { testbed, log } = await open(['schroot', tinyChroot().name]);
    const running = testbed.start(['sleep', '1000']);
    await log.first('command.started');
    const { pid } = await log.first('process.spawned');
    process.kill(pid, 'SIGKILL');
    expect((await running.ended).result).toMatchObject({ kind: 'lost' });
    const { cause, leftovers } = await testbed.close();
    expect(cause).toMatchObject({ class: 'testbed-died', detail: expect.stringContaining('process init ended') });
    expect(leftovers).toEqual([]);
  });

  test('where the session cannot be ended, and leaves the command that ends it later', async () => {
    const chroot = tinyChroot();
    const { testbed } = await open(['schroot', chroot.name]);
    const [session = ''] = chroot.sessions();
    const location = spawnSync('schroot', ['--location', '--chroot', session], { encoding: 'utf8' }).stdout.trim();
    // A process of this machine keeps the mount busy; it has not come through schroot, which would end it.
    const keeper = spawn('sleep', ['1000'], { cwd: location, stdio: 'ignore' });
    const kept = once(keeper, 'exit');
    let left: ClosedTestbed['leftovers'] = [];
    try {
      const { cause, leftovers } = await testbed.close();
      expect(cause).toMatchObject({
        class: 'teardown-failed',
        detail: expect.stringMatching(/left-behind.*fuser -vm/),
      });
      left = leftovers;
    } finally {
      keeper.kill('SIGKILL');
      await kept;
    }
    const [program = '', ...args] = left.find(({ kind }) => kind === 'session')?.release ?? [];
    expect([spawnSync(program, args).status, chroot.sessions()]).toEqual([0, []]);
    const [directory, ...others] = left.filter(({ kind }) => kind === 'directory');
    expect(others).toEqual([]);
    rmdirSync(directory?.name ?? '');
  });

  test('where no chroot is configured at all', async () => {
    const directory = workplace();
    writeFileSync(join(directory, 'schroot'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    vi.stubEnv('PATH', `${directory}:${process.env.PATH}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await schrootBackend.probe()).toMatchObject({
      available: false,
      missing: 'no chroots are configured',
      remedy: expect.stringContaining('/etc/schroot/chroot.d/'),
    });
  });

  test('where somebody ends the session', async () => {
    const chroot = tinyChroot();
    const { testbed, log } = await open(['schroot', chroot.name]);
    const [session = ''] = chroot.sessions();
    spawnSync('schroot', ['--end-session', '--force', '--chroot', session]);
    await log.first('process.exited');
    const { cause, leftovers } = await testbed.close();
    expect(cause).toMatchObject({ class: 'testbed-died' });
    expect(leftovers).toEqual([]);
  });
});

describeWith(['root', 'schroot', 'mmdebstrap', 'overlay'], 'schroot of a Debian with an sshd', () => {
  let root = '';
  beforeAll(() => {
    root = unpackedImage(bootableImage());
  }, IMAGE_PATIENCE);

  test('says that accounts are those of this machine where its profile puts them over the image', async () => {
    const chroot = forThisTest(
      defineChroot(() => ({
        type: 'directory',
        directory: root,
        'union-type': 'overlay',
        'setup.nssdatabases': 'minimal/nssdatabases',
      })),
    );
    const { testbed, log } = await open(['schroot', chroot.name, '--session', 'login']);
    expect(testbed.endpoint).toMatchObject({ server: 'sshd' });
    const said = log.events.flatMap((event) => (event.type === 'console.printed' ? [event.line] : [])).join('\n');
    expect(said).toContain(`setup.nssdatabases= in [${chroot.name}] keeps the image's`);
    const { stdout, stderr } = await testbed.exec(['cat', '/etc/passwd']);
    expect([stdout.split('\n')[0], stderr]).toEqual([readFileSync('/etc/passwd', 'utf8').split('\n')[0], '']);
  });
});
