import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STARTED } from '../../../src/backends/containers/commands.ts';
import type { TrundleEvent } from '../../../src/events/index.ts';
import { readTrace } from '../../../src/trace/index.ts';
import { processesWith } from '../../contract/support/marks.ts';
import { Cli, cli } from '../../e2e/support/cli.ts';
import { foreign } from '../../faults/support/spoilt.ts';
import { type ContainerProgram, scriptAt } from '../../support/containers.ts';
import type { EventLog } from '../../support/eventLog.ts';
import { bootableImage, IMAGE_PATIENCE, IMAGE_USER, tinyImage } from '../../support/images.ts';
import { describeWith, type Need } from '../../support/needs.ts';
import { Screen } from '../../support/screen.ts';
import { workplace } from '../../support/workplace.ts';
import { open, refusal } from './open.ts';

/** A program of containers under test. */
export interface ContainerSuite {
  readonly name: 'podman' | 'docker';
  readonly needs: readonly Need[];
  /** Makes it ready on this machine; its tests share it. */
  make(): Promise<ContainerProgram>;
}

/** Tests that podman and docker must pass alike. */
export function containerSuite(suite: ContainerSuite): void {
  describe(suite.name, () => containersOfOne(suite));
}

function containersOfOne({ name, needs, make }: ContainerSuite): void {
  let host: ContainerProgram;
  let place = '';
  beforeAll(async () => {
    host = await make();
    place = mkdtempSync(join(tmpdir(), 'trundle-containers-'));
  }, IMAGE_PATIENCE);
  afterAll(async () => {
    await host?.[Symbol.asyncDispose]();
    rmSync(place, { recursive: true, force: true });
  });
  const words = (...more: string[]) => [name, '--program', host.program, ...more];
  /** An image of next to nothing. The same tarball is the same image. */
  const tiny = () => {
    const tarball = join(place, 'tiny.tar');
    return host.image(existsSync(tarball) ? tarball : tinyImage(tarball));
  };

  describeWith([...needs, 'busybox', 'tar'], `${name} without an init`, () => {
    test('gives a testbed that forgets what was done to it, entered by the stand-in', async () => {
      const { testbed } = await open(words(tiny()));
      expect(testbed.endpoint).toMatchObject({ server: 'stand-in', login: 'root', normalUser: 'user' });
      expect(testbed.capabilities).toEqual(['root-on-testbed', 'revert', 'revert-full-system']);
      await testbed.exec('echo x >/etc/x; rm /etc/group; sleep 1000 >/dev/null 2>&1 &');
      expect(await testbed.exec('ps | grep "[s]leep 1000"')).toMatchObject({ status: 0 });
      await testbed.revert();
      const { stdout } = await testbed.exec('ls /etc/group /etc/x; ps | grep -c "[s]leep 1000"');
      expect(stdout).toBe('/etc/group\n0\n');
    });

    test('is known to run also where what it says first is lost', async () => {
      const deaf = scriptAt(
        join(workplace(), 'deaf'),
        `case " $* " in
*" start "*) '${host.program}' "$@" | { read -r first; exec cat; } ;;
*) exec '${host.program}' "$@" ;;
esac`,
      );
      const { testbed } = await open([name, '--program', deaf, tiny()]);
      expect(await testbed.exec(['echo', 'here'])).toMatchObject({ stdout: 'here\n' });
    });

    test('runs commands as an ordinary user, in their home, without a network unless it is asked for', async () => {
      const before = readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8');
      const { testbed } = await open(words(tiny()));
      const { stdout } = await testbed.exec('id -u; id -g; pwd; umask; echo $HOME $USER', { login: 'user' });
      expect(stdout).toBe('1000\n1000\n/home/user\n0022\n/home/user user\n');
      expect((await testbed.exec('ls /sys/class/net')).stdout).toBe('lo\n');
      // Nor is this machine's changed.
      expect(readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8')).toBe(before);
    });

    test('hands on what stands after the image, and keeps what is its own to say; --program may be a path from here', async () => {
      const here = [name, '--program', relative(process.cwd(), host.program)];
      const { testbed } = await open([...here, tiny(), '--hostname', 'of-mine', '--env=A=b c']);
      // Wherever commands are started.
      expect(await testbed.exec(['hostname'])).toMatchObject({ stdout: 'of-mine\n', stderr: '' });
      expect(await refusal(words(tiny(), '--name=mine'))).toMatchObject({
        code: 'usage',
        message: expect.stringContaining('--name=mine'),
        class: 'wrong-usage',
      });
    });

    test('is found and removed by reap, once its runner was killed', async () => {
      const image = tiny();
      const place = workplace();
      const trace = join(place, 'trace');
      const line = 'echo going on; sleep 1000';
      const runner = new Cli(['exec', '--trace', trace, 'sh', '-c', line, '--', ...words(image)]);
      await runner.says('going on');
      const { run } = (await readTrace(trace)).header;
      runner.kill('SIGKILL');
      await runner.ended;
      const container = `trundle-${run}-tb1`;
      expect(containersOf(host, run)).toEqual([container]);
      const reaped = await cli(['reap', '--json', trace]);
      expect(JSON.parse(reaped.stdout).runs).toMatchObject([
        { outcome: 'finished', left: [], released: [{ kind: 'container', name: container }, { kind: 'directory' }] },
      ]);
      expect(containersOf(host, run)).toEqual([]);
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(run);
      await expect.poll(() => processesWith(run), { timeout: 20_000 }).toEqual([]);
    });

    test('is removed by reap also where it was still being made when its runner was killed', async () => {
      const place = workplace();
      const [begun, go, trace] = ['begun', 'go', 'trace'].map((each) => join(place, each)) as [string, string, string];
      execFileSync('mkfifo', [begun, go]);
      const slow = scriptAt(
        join(place, 'slow'),
        `case " $* " in *" create "*) echo >'${begun}'; cat '${go}';; esac\nexec '${host.program}' "$@"`,
      );
      const runner = new Cli(['exec', '--trace', trace, 'true', '--', name, '--program', slow, tiny()]);
      await readFile(begun);
      const { run } = (await readTrace(trace)).header;
      runner.kill('SIGKILL');
      await runner.ended;
      const reaping = cli(['reap', '--json', trace]);
      // The removal stands in a queue for what is being made; there is no other sign of that.
      const { ino } = statSync(join(tmpdir(), `trundle-${run}-tb1`));
      const waiter = new RegExp(`-> FLOCK .*:${ino} `);
      await expect.poll(() => readFileSync('/proc/locks', 'utf8'), { timeout: 30_000 }).toMatch(waiter);
      await writeFile(go, '');
      expect(JSON.parse((await reaping).stdout).runs).toMatchObject([{ outcome: 'finished', left: [] }]);
      expect(containersOf(host, run)).toEqual([]);
    });
  });

  describeWith([...needs, 'busybox', 'tar'], `${name} says what is wrong`, () => {
    test('where there is no image, and fetches none', async () => {
      expect(await refusal(words('localhost/of-nobody:1'))).toMatchObject({
        code: 'image-missing',
        message: expect.stringContaining('there is no image localhost/of-nobody:1 here'),
        remedy: expect.stringContaining(`${host.program} pull localhost/of-nobody:1, or --pull`),
        class: 'provision-failed',
        phase: 'provision',
      });
    });

    test('where the image has no init', async () => {
      expect(await refusal(words('--init', tiny()))).toMatchObject({
        code: 'no-init',
        remedy: expect.stringContaining('systemd-sysv'),
        class: 'boot-failed',
      });
    });

    test('where the image is for another kind of processor, though it counts as running until its first program is tried', async () => {
      const image = host.image(tinyImage(join(workplace(), 'foreign.tar'), foreign));
      const script = `case $1 in start) echo '${STARTED}'; exec "${host.program}" "$@";; *) exec "${host.program}" "$@";; esac`;
      const program = scriptAt(join(workplace(), 'program'), script);
      const refused = await refusal([name, '--program', program, image]);
      expect(refused).toMatchObject({ code: 'wrong-architecture', class: 'boot-failed' });
    });

    test('where the program is not there', async () => {
      const missing = join(workplace(), 'program');
      expect(await refusal([name, '--program', missing, 'image'])).toMatchObject({
        code: 'program-missing',
        message: expect.stringContaining(missing),
        remedy: expect.stringContaining(`ls -l ${missing}`),
        class: 'provision-failed',
      });
    });

    test('where somebody else has a container of that name, which stays', async () => {
      const image = tiny();
      // Just before ours is made, another is.
      const script = `case $1 in create) "${host.program}" create "$2" ${image} true >/dev/null;; esac; exec "${host.program}" "$@"`;
      const program = scriptAt(join(workplace(), 'program'), script);
      const refused = await refusal([name, '--program', program, image]);
      const container = `trundle-${runOf(refused.log)}-tb1`;
      expect(refused).toMatchObject({
        code: 'name-in-use',
        message: expect.stringContaining(container),
        remedy: expect.stringContaining(`rm --force ${container}`),
        class: 'provision-failed',
      });
      expect(containersOf(host, runOf(refused.log))).toEqual([container]);
      host.run('rm', '--force', container);
    });

    test('in a warning, where the container is made all the same: it stands in the trace', async () => {
      const script = `case $1 in create) echo 'the limit is discarded' >&2;; esac; exec "${host.program}" "$@"`;
      const program = scriptAt(join(workplace(), 'program'), script);
      const { testbed, log } = await open([name, '--program', program, tiny()]);
      expect(log.all('console.printed')).toContainEqual(expect.objectContaining({ line: 'the limit is discarded' }));
      expect((await testbed.close()).leftovers).toEqual([]);
    });

    test('where there is no cgroup v2 for an init', async () => {
      const script = `case $1 in info) echo 1; exit;; esac; exec "${host.program}" "$@"`;
      const program = scriptAt(join(workplace(), 'program'), script);
      expect(await refusal([name, '--program', program, '--init', tiny()])).toMatchObject({
        code: 'no-cgroup2',
        remedy: expect.stringContaining('systemd.unified_cgroup_hierarchy=1'),
      });
    });

    test('where the container is killed from outside', async () => {
      const { testbed, log } = await open(words(tiny()));
      const running = testbed.start(['sleep', '1000']);
      await log.first('command.started');
      host.run('kill', `trundle-${runOf(log)}-tb1`);
      expect((await running.ended).result).toMatchObject({ kind: 'lost' });
      const { cause, leftovers } = await testbed.close();
      const container = `trundle-${runOf(log)}-tb1`;
      expect(cause).toMatchObject({
        class: 'testbed-died',
        detail: `the guest stopped: the container ${container} was ended by SIGKILL`,
      });
      expect(leftovers).toEqual([]);
    });

    test('where the container is removed from outside, while nothing runs in it', async () => {
      const { testbed, log } = await open(words(tiny()));
      host.run('rm', '--force', `trundle-${runOf(log)}-tb1`);
      const { reason } = await log.first('guest.stopped');
      expect(reason).toMatch(/was removed by somebody else|was ended by SIGKILL/);
      const { cause, leftovers } = await testbed.close();
      expect(cause).toMatchObject({ class: 'testbed-died' });
      expect(leftovers).toEqual([]);
    });
  });

  describeWith([...needs, 'busybox', 'tar', 'node-pty'], `a shell in ${name}`, () => {
    test('is lost with its container, and no exit status is made up for it', async () => {
      const { testbed, log } = await open(words(tiny()));
      const stdout = new Screen();
      const line = 'tty; sleep 1000';
      const size = { columns: 80, rows: 24 };
      const ended = testbed.shell({ stdin: new PassThrough(), stdout, size, line });
      await stdout.shows(/^\/dev\/pts\/\d+\r\n/);
      host.run('kill', `trundle-${runOf(log)}-tb1`);
      expect((await ended).result).toMatchObject({ kind: 'lost' });
      expect((await testbed.close()).cause).toMatchObject({ class: 'testbed-died' });
    });
  });

  describeWith([...needs, 'mmdebstrap'], `${name} with an init`, () => {
    beforeAll(() => void bootableImage(), IMAGE_PATIENCE);
    test('gives sessions of logind, serves on without the image’s own sshd, and dies where the guest switches itself off', async () => {
      const { testbed, log } = await open(words('--init', host.image(bootableImage())));
      const { stdout } = await testbed.exec(
        'echo $XDG_RUNTIME_DIR; loginctl show-session --property=Name --value $XDG_SESSION_ID; systemctl --user is-system-running --wait; busctl --user status >/dev/null && echo bus',
        { login: IMAGE_USER },
      );
      expect(stdout).toBe(`/run/user/1000\n${IMAGE_USER}\nrunning\nbus\n`);
      expect((await testbed.exec(['systemctl', 'is-system-running'])).stdout).toBe('running\n');

      expect(await testbed.exec('systemctl stop ssh && ! ls /run/sshd')).toMatchObject({ status: 0 });
      expect(await testbed.exec(['id', '-un'], { login: IMAGE_USER })).toMatchObject({ stdout: `${IMAGE_USER}\n` });

      // Which nobody has asked for.
      await testbed.exec('systemctl poweroff').catch(() => {});
      await log.first('guest.stopped');
      const { cause } = await testbed.close();
      expect(cause).toMatchObject({ class: 'testbed-died' });
    });
  });
}

/** The names of a run's containers. */
function containersOf(host: ContainerProgram, run: string): string[] {
  const names = host.run('ps', '--all', '--format', '{{.Names}}').split('\n');
  return names.filter((each) => each.includes(run));
}

function runOf({ events }: EventLog): string {
  return (events[0] as TrundleEvent).run;
}
