import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { debianImage, IMAGE_PATIENCE, tinyRoot } from '../support/images.ts';
import { makeLifeline } from '../support/lifeline.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { open, refusal } from './support/open.ts';

describeWith(['root', 'unshare', 'busybox', 'tar'], 'chroot of a directory', () => {
  test('runs commands in it as root, and keeps what they write', async () => {
    const root = tinyRoot(join(workplace(), 'root'));
    const { testbed } = await open(['chroot', root]);
    expect(testbed.endpoint).toMatchObject({ server: 'stand-in', login: 'root', normalUser: 'user' });
    expect(testbed.capabilities).toEqual(['root-on-testbed']);
    expect(await testbed.exec('id -u; pwd; cat /etc/hostname')).toMatchObject({ stdout: '0\n/root\ntiny\n' });
    expect(await testbed.exec('echo kept >/etc/kept')).toMatchObject({ status: 0 });
    await testbed.close();
    expect(readFileSync(join(root, 'etc/kept'), 'utf8')).toBe('kept\n');
  });

  test('takes what would gain root, and needs it not', async () => {
    const { testbed } = await open([
      'chroot',
      '--gain',
      'there-is-no-such-program',
      tinyRoot(join(workplace(), 'root')),
    ]);
    expect(await testbed.exec('id -u')).toMatchObject({ stdout: '0\n' });
  });

  test('runs commands as an ordinary user, in their home', async () => {
    const { testbed } = await open(['chroot', tinyRoot(join(workplace(), 'root'))]);
    const { stdout } = await testbed.exec('id -u; id -g; pwd; umask; echo $HOME $USER', { login: 'user' });
    expect(stdout).toBe('1000\n1000\n/home/user\n0022\n/home/user user\n');
  });

  test('keeps background processes from one command to the next, and ends them with the testbed', async () => {
    const directory = workplace();
    const root = tinyRoot(join(directory, 'root'));
    using lifeline = makeLifeline(join(root, 'tmp'));
    const { testbed } = await open(['chroot', root]);
    const inside = lifeline.linger.replaceAll(join(root, 'tmp'), '/tmp');
    await testbed.exec(`(${inside}) </dev/null >/dev/null 2>&1 & echo $! >/tmp/pid`);
    await lifeline.held;
    expect(await testbed.exec('kill -0 $(cat /tmp/pid)')).toMatchObject({ status: 0 });
    await testbed.close();
    await lifeline.released;
  });

  test('ends with its runner: no process, and no mount on this machine, is needed to find it', async () => {
    const root = tinyRoot(join(workplace(), 'root'));
    const { testbed, log } = await open(['chroot', root]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(root);
    const { pid } = await log.first('process.spawned');
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    await testbed.close();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  test('gives the testbed a /proc, a /dev and a /run of its own, also where this machine has mounted its own there', async () => {
    const root = tinyRoot(join(workplace(), 'root'));
    const mounts = [
      ['-t', 'proc', 'proc', join(root, 'proc')],
      ['--rbind', '/dev', join(root, 'dev')],
      ['-t', 'tmpfs', 'run', join(root, 'run')],
    ];
    onTestFinished(() => {
      for (const mount of mounts.toReversed()) spawnSync('umount', ['--recursive', '--lazy', mount.at(-1) ?? '']);
    });
    for (const mount of mounts) mkdirSync(mount.at(-1) ?? '', { recursive: true });
    for (const mount of mounts) execFileSync('mount', mount);
    execFileSync('mount', ['--make-rprivate', join(root, 'dev')]);
    writeFileSync(join(root, 'run/of-this-machine'), '');
    const { testbed } = await open(['chroot', root]);
    const { stdout } = await testbed.exec(
      'cat /proc/1/comm; ls /dev/pts /run/lock; ls /run/of-this-machine; ls -d /proc/[0-9]*',
    );
    const [init, ...seen] = stdout.trimEnd().split('\n');
    expect(init).toBe('sh');
    expect(seen.slice(0, 4)).toEqual(['/dev/pts:', 'ptmx', '', '/run/lock:']);
    expect(seen.length).toBeLessThan(20);
    await testbed.close();
    expect(existsSync(join(root, 'run/of-this-machine'))).toBe(true);
    expect(existsSync(join(root, `proc/${process.pid}`))).toBe(true);
    expect(existsSync(join(root, 'dev/pts/ptmx'))).toBe(true);
  });

  test('can give the testbed a network with only the loopback', async () => {
    const root = tinyRoot(join(workplace(), 'root'));
    const { testbed } = await open(['chroot', root, '--private-network']);
    const { stdout } = await testbed.exec('ip -o link; ping -c 1 -W 5 127.0.0.1 >/dev/null && echo alive');
    expect(stdout).toMatch(/^1: lo: <[^>]*\bUP\b[^\n]*\nalive\n$/);
  });
});

describeWith(['root', 'unshare', 'busybox', 'tar'], 'chroot says what is wrong', () => {
  test('where there is no image', async () => {
    const path = join(workplace(), 'none');
    expect(await refusal(['chroot', path])).toMatchObject({
      code: 'image-missing',
      message: `there is no image ${path}`,
      remedy: expect.stringContaining('mmdebstrap'),
      class: 'provision-failed',
      phase: 'provision',
    });
  });

  test('where a session is asked for that only an sshd gives', async () => {
    const root = tinyRoot(join(workplace(), 'root'));
    expect(await refusal(['chroot', root, '--session', 'login'])).toMatchObject({
      code: 'no-sshd',
      remedy: expect.stringContaining('openssh-server'),
      class: 'boot-failed',
    });
  });

  test('where the sshd does not take its configuration', async () => {
    const root = tinyRoot(join(workplace(), 'root'));
    fakeSshd(root, 'echo "sshd: it is broken" >&2; exit 1');
    expect(await refusal(['chroot', root])).toMatchObject({
      code: 'sshd-refuses',
      message: expect.stringContaining('sshd: it is broken'),
      remedy: expect.stringContaining('--session=stand-in'),
    });
  });

  test('where the sshd exits when it is dialled', async () => {
    const root = tinyRoot(join(workplace(), 'root'));
    fakeSshd(root, 'case " $* " in *" -t "*) exit 0;; esac; echo "sshd: out of luck" >&2; exit 3');
    const options = { deadlines: { 'ssh-ready': 3000 } };
    const { class: causeClass, log } = await refusal(['chroot', root], options);
    expect(causeClass).toBe('connection-closed');
    const told = log.events.flatMap((event) => (event.type === 'dial.failed' ? [event.failure.message] : []));
    expect(told[0]).toContain('it said: sshd: out of luck');
  });

  test('where nobody has the name that shall log in', async () => {
    const root = tinyRoot(join(workplace(), 'root'));
    expect(await refusal(['chroot', root, '--login', 'nobody-here'])).toMatchObject({ code: 'no-such-user' });
  });

  test('where the init is killed from outside', async () => {
    const { testbed, log } = await open(['chroot', tinyRoot(join(workplace(), 'root'))]);
    const running = testbed.start(['sleep', '1000']);
    await log.first('command.started');
    const { pid } = await log.first('process.spawned');
    process.kill(pid, 'SIGKILL');
    expect((await running.ended).result).toMatchObject({ kind: 'lost' });
    const { cause, leftovers } = await testbed.close();
    expect(cause).toMatchObject({ class: 'testbed-died', detail: 'process init ended by signal SIGKILL' });
    expect(leftovers).toEqual([]);
  });
});

function fakeSshd(root: string, script: string): void {
  mkdirSync(join(root, 'sbin'), { recursive: true });
  writeFileSync(join(root, 'sbin/sshd'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(root, 'sbin/sshd'), 0o755);
}

describeWith(['root', 'unshare', 'mmdebstrap', 'tar'], 'chroot of a tarball with an sshd', () => {
  let image = '';
  beforeAll(() => {
    image = debianImage();
  }, IMAGE_PATIENCE);

  test('gives real login sessions, and leaves the image alone', async () => {
    const { testbed } = await open(['chroot', image, '--session', 'login']);
    expect(testbed.endpoint).toMatchObject({ server: 'sshd', login: 'root' });
    expect(testbed.capabilities).toEqual(['root-on-testbed', 'revert', 'revert-full-system']);
    expect(await testbed.exec('ps -o comm= -p $PPID; test -w /etc')).toMatchObject({ status: 0 });
    await testbed.exec('rm -rf /etc/hostname /var/log; echo x >/etc/motd');
    await testbed.revert();
    expect(await testbed.exec(['ls', '-d', '/var/log'])).toMatchObject({ stdout: '/var/log\n' });
  });

  test('lets user namespaces be made inside', async () => {
    const { testbed } = await open(['chroot', image]);
    expect(await testbed.exec(['unshare', '--user', '--map-root-user', 'id', '-u'])).toMatchObject({ stdout: '0\n' });
  });

  test('shows none of what is secret in an argv', async () => {
    const { testbed, log } = await open(['chroot', image]);
    await testbed.exec(['true']);
    expect(JSON.stringify(log.events)).not.toContain('PRIVATE KEY');
  });
});
