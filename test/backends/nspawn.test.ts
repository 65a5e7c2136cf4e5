import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { Cli, cli, ownState, root as project } from '../e2e/support/cli.ts';
import { remainsOf } from '../faults/support/outside.ts';
import { bootableImage, debianImage, IMAGE_PATIENCE, IMAGE_USER, tinyImage, tinyRoot } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { open, refusal } from './support/open.ts';

describeWith(['root', 'systemd-nspawn', 'busybox', 'overlay'], 'nspawn without an init', () => {
  test('gives a testbed that forgets what was done to it, and leaves the image alone', async () => {
    const root = tinyRoot(join(workplace(), 'root'));
    const { testbed } = await open(['nspawn', root]);
    expect(testbed.endpoint).toMatchObject({ server: 'stand-in', login: 'root', normalUser: 'user' });
    expect(testbed.capabilities).toEqual(['root-on-testbed', 'revert', 'revert-full-system']);
    await testbed.exec('echo x >/etc/x; rm /etc/hostname; sleep 1000 >/dev/null 2>&1 &');
    await testbed.revert();
    const { stdout } = await testbed.exec('ls /etc; ps | grep -c "[s]leep 1000"');
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['hostname', '0']));
    expect(stdout).not.toMatch(/^x$/m);
    expect(readdirSync(join(root, 'etc')).toSorted()).toEqual(['group', 'hostname', 'passwd']);
  });

  test('leaves nothing behind where it may make no namespaces, as in a container without privileges', () => {
    const image = tinyRoot(join(workplace(), 'root'));
    const temporary = workplace();
    const words = [process.execPath, join(project, 'dist/bin.cjs'), 'exec', 'true', '--', 'nspawn', image];
    const end = spawnSync('setpriv', ['--bounding-set', '-sys_admin', '--', ...words], {
      encoding: 'utf8',
      env: { ...process.env, ...ownState(), TMPDIR: temporary },
    });
    expect(end.status).toBe(16);
    expect(end.stderr).toMatch(/no-permission: .*CAP_SYS_ADMIN/);
    expect(end.stderr).not.toMatch(/^ +left /m);
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('has a container know its own name, whatever the image has for hosts, and leaves that alone', async () => {
    const hosts = (root: string) => join(root, 'etc/hosts');
    const seen = async (root: string) => {
      const { testbed } = await open(['nspawn', root]);
      const { stdout } = await testbed.exec('hostname; cat /etc/hosts; ls -ld /run/lock | cut -c1-10');
      await testbed.close();
      const [name = '', ...lines] = stdout.trim().split('\n');
      return { name, lines };
    };
    const none = tinyRoot(join(workplace(), 'none'));
    const { name, lines } = await seen(none);
    expect(lines).toEqual([
      '127.0.0.1 localhost',
      '::1 localhost ip6-localhost ip6-loopback',
      `127.0.1.1 ${name}`,
      'drwxrwxrwt',
    ]);
    expect(existsSync(hosts(none))).toBe(false);

    const some = tinyRoot(join(workplace(), 'some'));
    writeFileSync(hosts(some), '192.0.2.1 server\n');
    const second = await seen(some);
    expect(second.lines.slice(0, 2)).toEqual(['192.0.2.1 server', `127.0.1.1 ${second.name}`]);
    expect(readFileSync(hosts(some), 'utf8')).toBe('192.0.2.1 server\n');

    const link = tinyRoot(join(workplace(), 'link'));
    const outside = join(workplace(), 'outside');
    writeFileSync(outside, 'ours\n');
    symlinkSync(outside, hosts(link));
    await seen(link);
    expect(readFileSync(outside, 'utf8')).toBe('ours\n');
  });

  test.each([
    ['private', 'only the loopback', /^lo$/],
    ['host', 'the network of this machine', new RegExp(`^${interfaces('/proc/net/dev').join(' ')}$`)],
  ])('with --network=%s sees %s', async (network, _what, expected) => {
    const { testbed } = await open(['nspawn', '--network', network, tinyRoot(join(workplace(), 'root'))]);
    const { stdout } = await testbed.exec(['cat', '/proc/net/dev']);
    expect(namesIn(stdout).join(' ')).toMatch(expected);
  });

  test('ends with its runner: reap finds files and a control group, and removes them', async () => {
    const directory = workplace();
    const env = { TMPDIR: workplace(), XDG_CACHE_HOME: workplace(), XDG_STATE_HOME: workplace() };
    const trace = join(directory, 'trace');
    const image = tinyImage(join(directory, 'tiny.tar'));
    const running = new Cli(['exec', '--trace', trace, '-n', 'sh -c "echo up; sleep 1000"', '--', 'nspawn', image], {
      env,
    });
    await running.says('up');
    running.process.kill('SIGKILL');
    await running.ended;
    const reaped = await cli(['reap', '--json', `${trace}/`], { env });
    const [run] = JSON.parse(reaped.stdout).runs;
    expect(run).toMatchObject({ outcome: 'finished', left: [], concluded: true });
    expect(run.released.map(({ kind }: { kind: string }) => kind)).toEqual(
      expect.arrayContaining(['cgroup', 'directory']),
    );
    expect(readdirSync(env.TMPDIR)).toEqual([]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(env.TMPDIR);
    expect(remainsOf(run.run)).toEqual([]);
  });
});

/** Names of network interfaces in a file of the form of /proc/net/dev, sorted. */
function interfaces(file: string): string[] {
  return namesIn(readFileSync(file, 'utf8'));
}

function namesIn(text: string): string[] {
  return [...text.matchAll(/^\s*(\S+):/gm)].map(([, name]) => name ?? '').toSorted();
}

describeWith(['root', 'systemd-nspawn', 'busybox', 'overlay'], 'nspawn says what is wrong', () => {
  test('where there is no image', async () => {
    const path = join(workplace(), 'none');
    expect(await refusal(['nspawn', path])).toMatchObject({ code: 'image-missing', class: 'provision-failed' });
  });

  test('where the image is no root file system', async () => {
    const path = workplace();
    writeFileSync(join(path, 'file'), '');
    expect(await refusal(['nspawn', path])).toMatchObject({
      code: 'not-a-root',
      message: `the image ${path} is no root file system: it has no /usr`,
      class: 'boot-failed',
    });
    expect(await refusal(['nspawn', '--boot', path])).toMatchObject({ code: 'not-a-root' });
  });

  test('where the container is killed from outside', async () => {
    const { testbed, log } = await open(['nspawn', tinyRoot(join(workplace(), 'root'))]);
    const running = testbed.start(['sleep', '1000']);
    await log.first('command.started');
    const { pid } = await log.first('process.spawned');
    process.kill(pid, 'SIGKILL');
    expect((await running.ended).result).toMatchObject({ kind: 'lost' });
    const { cause, leftovers } = await testbed.close();
    expect(cause).toMatchObject({ class: 'testbed-died', detail: expect.stringContaining('process container ended') });
    expect(leftovers).toEqual([]);
  });
});

describeWith(['root', 'systemd-nspawn', 'mmdebstrap', 'overlay'], 'nspawn with an init', () => {
  let image = '';
  let withoutInit = '';
  beforeAll(() => {
    image = bootableImage();
    withoutInit = debianImage();
  }, IMAGE_PATIENCE);

  test('gives real login sessions', async () => {
    const { testbed } = await open(['nspawn', '--boot', image]);
    expect(testbed.endpoint).toMatchObject({ server: 'sshd', normalUser: IMAGE_USER });
    expect(testbed.capabilities).toEqual(expect.arrayContaining(['reboot', 'isolation-container']));
    const script =
      'echo $XDG_RUNTIME_DIR; systemctl --user is-system-running --wait; busctl --user status >/dev/null && echo bus';
    expect(await testbed.exec(script, { login: IMAGE_USER })).toMatchObject({
      stdout: '/run/user/1000\nrunning\nbus\n',
      stderr: '',
    });
    const session = 'loginctl show-session --property=Name --property=Service --value "$XDG_SESSION_ID"';
    expect((await testbed.exec(session, { login: IMAGE_USER })).stdout.split('\n').toSorted()).toEqual([
      '',
      'sshd',
      IMAGE_USER,
    ]);
  });

  test('says so where the guest reboots and nobody had asked for it', async () => {
    const { testbed, log } = await open(['nspawn', '--boot', image]);
    const running = testbed.start('systemctl reboot; sleep 1000');
    expect((await running.ended).result).toMatchObject({ kind: 'lost' });
    await log.first('guest.stopped');
    const { cause, leftovers } = await testbed.close();
    expect(cause).toMatchObject({ class: 'testbed-died', detail: expect.stringContaining('nobody had asked') });
    expect(leftovers).toEqual([]);
  });

  test('says so where the image has no init', async () => {
    expect(await refusal(['nspawn', '--boot', withoutInit])).toMatchObject({
      code: 'no-init',
      remedy: expect.stringContaining('systemd-sysv'),
      class: 'boot-failed',
    });
  });
});
