import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { explainCopy, explainStart } from '../../src/backends/lxc/explain.ts';
import { lxcBackend } from '../../src/backends/lxc/index.ts';
import { Cli, cli } from '../e2e/support/cli.ts';
import { unpackedImage } from '../support/chroots.ts';
import { bootableImage, IMAGE_PATIENCE, IMAGE_USER, tinyRoot } from '../support/images.ts';
import { defineTemplate } from '../support/lxcTemplate.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { open, refusal } from './support/open.ts';

/** A small root with an init: busybox's. */
function tinySystem(path = join(workplace(), 'root')): string {
  const root = tinyRoot(path);
  mkdirSync(join(root, 'sbin'));
  symlinkSync('../bin/busybox', join(root, 'sbin/init'));
  return root;
}

/** The pid of a process's parent (proc(5), /proc/PID/stat). */
function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

describeWith(['root', 'lxc-start', 'rsync', 'mkfs.ext4', 'busybox', 'overlay'], 'lxc with a small init', () => {
  test('is ready, and says of which version', async () => {
    expect(await lxcBackend.probe()).toMatchObject({ available: true, detail: expect.stringMatching(/^lxc \d/) });
  });

  test('gives a testbed that forgets what was done to it, and leaves the image alone', async () => {
    const root = tinySystem();
    const { testbed } = await open(['lxc', root]);
    expect(testbed.endpoint).toMatchObject({ server: 'stand-in', login: 'root', normalUser: 'user' });
    await testbed.exec('echo x >/etc/x; sleep 1000 >/dev/null 2>&1 &');
    await testbed.revert();
    const { stdout } = await testbed.exec('ls /etc; ps | grep -c "[s]leep 1000"; cat /proc/net/dev');
    expect(stdout).toMatch(/^0$/m);
    expect(stdout).not.toMatch(/^x$/m);
    expect([...stdout.matchAll(/^\s*(\S+):/gm)].map(([, name]) => name)).toEqual(['lo']);
    expect(existsSync(join(root, 'etc/x'))).toBe(false);
  });

  test.each([
    ['a copy', []],
    ['a copy that can only grow so far', ['--disk-limit', '64M']],
    ['an overlay', ['--ephemeral']],
  ])('of a container makes %s, and removes it', async (_what, options) => {
    const { lxcpath, name } = defineTemplate(tinySystem);
    const words = ['lxc', ...options, '--lxcpath', lxcpath, '--name', 'copied', name];
    const { testbed } = await open([...words, '--define=lxc.environment=COLOUR=blue']);
    expect(readdirSync(lxcpath).toSorted()).toEqual(['copied', name]);
    await testbed.exec('echo x >/etc/x');
    expect((await testbed.exec('tr "\\0" "\\n" </proc/1/environ')).stdout).toMatch(/^COLOUR=blue$/m);
    const size = Number((await testbed.exec("df -m / | awk 'END { print $2 }'")).stdout);
    if (options[0] === '--disk-limit') expect(size).toBeLessThanOrEqual(64);
    await testbed.revert();
    expect((await testbed.exec('test -e /etc/x')).status).toBe(1);
    expect((await testbed.close()).leftovers).toEqual([]);
    expect(readdirSync(lxcpath)).toEqual([name]);
    expect(readdirSync(join(lxcpath, name)).toSorted()).toEqual(['config', 'rootfs']);
    expect(existsSync(join('/run/lxc/lock', lxcpath, '.copied'))).toBe(false);
  });

  test('of a container is found and removed by reap, once its runner was killed', async () => {
    const { lxcpath, name } = defineTemplate(tinySystem);
    const env = { TMPDIR: workplace(), XDG_STATE_HOME: workplace() };
    const trace = join(workplace(), 'trace');
    const words = ['-e', '--lxcpath', lxcpath, name];
    const running = new Cli(['exec', '--trace', trace, '-n', 'sh -c "echo up; sleep 1000"', '--', 'lxc', ...words], {
      env,
    });
    await running.says('up');
    running.process.kill('SIGKILL');
    await running.ended;
    expect(readdirSync(lxcpath)).toHaveLength(2);
    const reaped = await cli(['reap', '--json', `${trace}/`], { env });
    const [run] = JSON.parse(reaped.stdout).runs;
    expect(run).toMatchObject({ outcome: 'finished', left: [], concluded: true });
    expect(run.released.map(({ kind }: { kind: string }) => kind)).toEqual(
      expect.arrayContaining(['cgroup', 'container']),
    );
    expect(readdirSync(lxcpath)).toEqual([name]);
    expect(readdirSync(env.TMPDIR)).toEqual([]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(env.TMPDIR);
  });
});

describeWith(['root', 'lxc-start', 'busybox', 'overlay'], 'lxc says what is wrong', () => {
  test('where there is no image, and no container', async () => {
    const path = join(workplace(), 'none');
    expect(await refusal(['lxc', path])).toMatchObject({ code: 'image-missing', class: 'provision-failed' });
    expect(await refusal(['lxc', '--lxcpath', workplace(), 'none'])).toMatchObject({
      code: 'image-missing',
      remedy: expect.stringContaining('lxc-create'),
      class: 'provision-failed',
    });
  });

  test('where the name is in use, and leaves whose it is alone', async () => {
    const { lxcpath, name } = defineTemplate(tinySystem);
    expect(await refusal(['lxc', '--lxcpath', lxcpath, '--name', name, name])).toMatchObject({
      code: 'name-in-use',
      class: 'provision-failed',
    });
    expect(readdirSync(join(lxcpath, name)).toSorted()).toEqual(['config', 'rootfs']);
  });

  test('where the container to copy runs', async () => {
    const { lxcpath, name } = defineTemplate(tinySystem);
    await open(['lxc', '-e', '--lxcpath', lxcpath, '--name', 'busy', name]);
    expect(await refusal(['lxc', '-e', '-P', lxcpath, 'busy'])).toMatchObject({
      code: 'template-runs',
      remedy: expect.stringContaining(`--lxcpath ${lxcpath} --name busy`),
      class: 'provision-failed',
    });
  });

  test('where the image has no init', async () => {
    expect(await refusal(['lxc', tinyRoot(join(workplace(), 'root'))])).toMatchObject({
      code: 'no-init',
      remedy: expect.stringContaining('systemd-sysv'),
      class: 'boot-failed',
    });
  });

  test('where the network is not there, or an option does not exist', async () => {
    const root = tinySystem();
    const network = ['--define=lxc.net.0.type=veth', '--define=lxc.net.0.link=of-nobody'];
    expect(await refusal(['lxc', root, ...network])).toMatchObject({ code: 'no-network', class: 'boot-failed' });
    expect(await refusal(['lxc', root, '--define=lxc.of.nobody=1'])).toMatchObject({ code: 'usage' });
    expect(await refusal(['lxc', root, '--daemon'])).toMatchObject({ code: 'usage', class: 'wrong-usage' });
  });

  test('where the programs are not there', () => {
    const said = 'sh: 57: lxc-start: not found\n';
    expect(explainStart({ status: 127, said }, 'template')).toMatchObject({
      code: 'program-missing',
      remedy: 'apt-get install lxc',
    });
  });

  test.each([
    ['rsync', 'storage_copy: 511 Failed to rsync from "/a" into "/b": lxc-copy: template:', 'apt-get install rsync'],
    ['mkfs.ext4', 'do_loop_create: 316 Failed to create new filesystem "ext4" for loop file "/c"', 'e2fsprogs'],
  ])('where a copy fails at %s', (_program, first, remedy) => {
    const place = 'lxc-copy: template: ../src/lxc/storage/storage.c:';
    const stderr = `${place} ${first}\n${place} do_clone: 391 Failed to clone\n`;
    const error = explainCopy({ status: 1, killedBy: null, stdout: '', stderr }, 'template', '/c');
    expect(error).toMatchObject({ code: 'copy-failed', remedy: expect.stringContaining(remedy) });
    expect(error.message).toContain('Failed to');
    expect(error.message).not.toMatch(/storage\.c|Failed to clone/);
  });

  test.each([
    ['the container', (pid: number) => pid],
    ['lxc-start', (pid: number) => parentOf(pid)],
  ])('where %s is killed from outside', async (_whom, victim) => {
    const { testbed, log } = await open(['lxc', tinySystem()]);
    const running = testbed.start(['sleep', '1000']);
    await log.first('command.started');
    const { pid } = await log.first('process.spawned');
    process.kill(victim(pid), 'SIGKILL');
    expect((await running.ended).result).toMatchObject({ kind: 'lost' });
    const { cause, leftovers } = await testbed.close();
    expect(cause).toMatchObject({ class: 'testbed-died', detail: expect.stringContaining('process container ended') });
    expect(leftovers).toEqual([]);
  });
});

describeWith(['root', 'lxc-start', 'mmdebstrap', 'overlay', 'tar'], 'lxc with systemd', () => {
  let image = '';
  beforeAll(() => {
    image = unpackedImage(bootableImage());
  }, IMAGE_PATIENCE);

  test('gives real login sessions', async () => {
    const { testbed } = await open(['lxc', image]);
    expect(testbed.endpoint).toMatchObject({ server: 'sshd', normalUser: IMAGE_USER });
    const script =
      'echo $XDG_RUNTIME_DIR; systemctl --user is-system-running --wait; busctl --user status >/dev/null && echo bus';
    expect(await testbed.exec(script, { login: IMAGE_USER })).toMatchObject({
      stdout: '/run/user/1000\nrunning\nbus\n',
      stderr: '',
    });
  });

  test('reboots over the same files, with another first process', async () => {
    const { lxcpath, name } = defineTemplate((rootfs) => symlinkSync(image, rootfs));
    const { testbed } = await open(['lxc', '-e', '--lxcpath', lxcpath, name]);
    const asked = "touch /var/kept; awk '{ print $22 }' /proc/1/stat";
    const before = await testbed.exec(asked);
    await testbed.reboot();
    const after = await testbed.exec(`test -e /var/kept && ${asked}`);
    expect(after.status).toBe(0);
    expect(Number(after.stdout)).toBeGreaterThan(Number(before.stdout));
  });

  test('says so where the guest reboots and nobody had asked for it', async () => {
    const { testbed, log } = await open(['lxc', image]);
    const running = testbed.start('systemctl reboot; sleep 1000');
    expect((await running.ended).result).toMatchObject({ kind: 'lost' });
    await log.first('guest.stopped');
    const { cause, leftovers } = await testbed.close();
    expect(cause).toMatchObject({ class: 'testbed-died', detail: expect.stringContaining('nobody had asked') });
    expect(leftovers).toEqual([]);
  });
});
