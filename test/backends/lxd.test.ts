import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { probe } from '../../src/backends/lxd/probe.ts';
import type { TrundleEvent } from '../../src/events/index.ts';
import { readTrace } from '../../src/trace/index.ts';
import { Cli, cli } from '../e2e/support/cli.ts';
import { bootable } from '../faults/support/providers.ts';
import { scriptAt } from '../support/containers.ts';
import type { EventLog } from '../support/eventLog.ts';
import { bootableImage, IMAGE_PATIENCE, IMAGE_USER, tinyImage } from '../support/images.ts';
import { type InstanceDaemon, startInstanceDaemon } from '../support/lxd.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { open, refusal } from './support/open.ts';

for (const kind of ['lxd', 'incus'] as const) {
  describeWith(['root', kind, 'pid-namespace', 'busybox', 'tar', 'mmdebstrap'], kind, () => {
    let daemon: InstanceDaemon;
    /** With systemd and logind. */
    let debian: string;
    /** With an init, and next to nothing else: it is up in a moment. */
    let image: string;
    const words = (...more: string[]) => [kind, '--program', daemon.program, ...more];
    beforeAll(async () => {
      daemon = await startInstanceDaemon(kind);
      debian = daemon.image(bootableImage());
      image = small(daemon);
    }, IMAGE_PATIENCE);
    afterAll(() => daemon[Symbol.asyncDispose]());

    test('says that it is ready, and for whom it is not', async () => {
      const env = { LXD_DIR: daemon.directory, INCUS_DIR: daemon.directory };
      expect(await probe(kind, env)).toMatchObject({ available: true, detail: expect.stringMatching(/\d/) });
      const nowhere = join(workplace(), 'nowhere');
      expect(await probe(kind, { LXD_DIR: nowhere, INCUS_DIR: nowhere })).toMatchObject({
        available: false,
        missing: expect.stringContaining(join(nowhere, 'unix.socket')),
        remedy: expect.stringContaining(`systemctl start ${kind}`),
      });
    });

    test('gives sessions of logind, with a bus and a manager of their own', async () => {
      const { testbed } = await open(words(debian));
      expect(testbed.endpoint).toMatchObject({ server: 'sshd', login: 'root', normalUser: IMAGE_USER });
      const { stdout } = await testbed.exec(
        'echo $XDG_RUNTIME_DIR; loginctl show-session --property=Name --value $XDG_SESSION_ID; busctl --user status >/dev/null && echo bus',
        { login: IMAGE_USER },
      );
      expect(stdout).toBe(`/run/user/1000\n${IMAGE_USER}\nbus\n`);
    });

    test('is found and removed by reap, once its runner was killed', async () => {
      const trace = join(workplace(), 'trace');
      const line = 'echo going on; sleep 1000';
      const runner = new Cli(['exec', '--trace', trace, 'sh', '-c', line, '--', ...words(image)]);
      await runner.says('going on');
      const { run } = (await readTrace(trace)).header;
      runner.kill('SIGKILL');
      await runner.ended;
      expect(instancesOf(daemon, run)).toHaveLength(1);
      const reaped = await cli(['reap', '--json', trace]);
      expect(JSON.parse(reaped.stdout).runs).toMatchObject([{ outcome: 'finished', left: [] }]);
      expect(instancesOf(daemon, run)).toEqual([]);
    });

    test('keeps to the project that its words name, and to that of the client', async () => {
      daemon.run('project', 'create', 'ours', '--config=features.images=false', '--config=features.profiles=false');
      onTestFinished(() => void daemon.run('project', 'delete', 'ours'));
      const { testbed, log } = await open(words(image, '--project=ours'));
      expect(await testbed.exec('id -u')).toMatchObject({ stdout: '0\n' });
      expect(daemon.run('list', '--project=ours', '--format=csv', '--columns=n').trim()).toContain(runOf(log));
      await testbed.close();
      expect(daemon.run('list', '--project=ours', '--format=csv', '--columns=n')).toBe('');
      // Where the client's own project is another than the daemon's, what is asked is asked of that one.
      daemon.run('project', 'switch', 'ours');
      onTestFinished(() => void daemon.run('project', 'switch', 'default'));
      expect(
        await refusal(words(image, '--config=raw.lxc=lxc.mount.entry=/of-nobody mnt none bind 0 0')),
      ).toMatchObject({
        code: 'start-failed',
      });
    });

    test('says so where there is no image, and hands on no option that would take the instance away', async () => {
      expect(await refusal(words('of-nobody'))).toMatchObject({
        code: 'image-missing',
        remedy: expect.stringContaining('image import'),
        class: 'provision-failed',
      });
      expect(await refusal(words('--remote=of-nobody', image))).toMatchObject({ code: 'no-remote' });
      expect(await refusal(words(image, '--storage=of-nobody'))).toMatchObject({ code: 'no-storage' });
      expect(await refusal(words(image, '--ephemeral'))).toMatchObject({ code: 'usage', class: 'wrong-usage' });
    });

    test('says so where the image is cut off', async () => {
      const tarball = tinyImage(join(workplace(), 'tiny.tar'));
      truncateSync(tarball, statSync(tarball).size / 2);
      // It is unpacked when an instance is made of it.
      const cut = daemon.image(tarball);
      const refused = await refusal(words(cut));
      expect(refused).toMatchObject({
        code: 'image-damaged',
        message: expect.stringContaining('Unexpected EOF'),
        remedy: expect.stringContaining(`image delete ${cut}`),
        class: 'provision-failed',
        phase: 'provision',
      });
      expect(instancesOf(daemon, runOf(refused.log))).toEqual([]);
    });

    test('says so where the image has no init', async () => {
      const tiny = daemon.image(tinyImage(join(workplace(), 'tiny.tar')));
      const refused = await refusal(words(tiny));
      expect(refused).toMatchObject({ code: 'no-init', class: 'boot-failed' });
      expect(instancesOf(daemon, runOf(refused.log))).toEqual([]);
    });

    test('says so where the client is not there', async () => {
      const missing = join(workplace(), 'program');
      expect(await refusal([kind, '--program', missing, 'image'])).toMatchObject({
        code: 'program-missing',
        class: 'provision-failed',
      });
    });

    test('says so where somebody else has an instance of that name, which stays', async () => {
      // Just before ours is made, another is.
      const theirs = join(workplace(), 'theirs');
      const script = `case $1 in init) "${daemon.program}" "$@" </dev/null >/dev/null; echo "$3" >${theirs};; esac; exec "${daemon.program}" "$@"`;
      const program = scriptAt(join(workplace(), 'program'), script);
      const refused = await refusal([kind, '--program', program, image]);
      const instance = readFileSync(theirs, 'utf8').trim();
      expect(refused).toMatchObject({
        code: 'name-in-use',
        message: expect.stringContaining(instance),
        remedy: expect.stringContaining(`delete --force ${instance}`),
        class: 'provision-failed',
      });
      expect(instancesOf(daemon, runOf(refused.log))).toEqual([instance]);
      daemon.run('delete', '--force', instance);
    });

    test('has the name that it is given, which nobody else may have', async () => {
      const { testbed } = await open(words('--name', 'of-my-own', `--${kind}`, image));
      expect(daemon.run('list', '--format=csv', '--columns=n')).toContain('of-my-own');
      // Said before it is written down: reap would remove what bears the name.
      const refused = await refusal(words('--name', 'of-my-own', image));
      expect(refused).toMatchObject({ code: 'name-in-use', message: expect.stringContaining('of-my-own') });
      const made = refused.log.events.flatMap((event) => (event.type === 'resource.acquired' ? [event.kind] : []));
      expect(made).not.toContain('container');
      expect(await testbed.exec('true')).toMatchObject({ status: 0 });
      await testbed.close();
      expect(daemon.run('list', '--format=csv', '--columns=n')).not.toContain('of-my-own');
    });

    test.each([
      ['delete --force', 'was removed by somebody else'],
      ['stop --force', 'was stopped from outside, or its init died'],
      ['pause', 'was frozen by somebody else'],
    ])('dies of what somebody else does to the instance, and of nothing else: %s', async (verb, what) => {
      const { testbed, log } = await open(words(image));
      const instance = `trundle-${runOf(log)}-tb1`;
      const running = testbed.start('echo here; sleep 1000');
      await once(running.stdout, 'data');
      // What the daemon tells meanwhile is heard meanwhile.
      await promisify(execFile)(daemon.program, [...verb.split(' '), instance]);
      expect(await log.first('guest.stopped')).toMatchObject({ reason: `the instance ${instance} ${what}` });
      const { cause, leftovers } = await testbed.close();
      expect(cause).toMatchObject({
        class: 'testbed-died',
        detail: `the guest stopped: the instance ${instance} ${what}`,
      });
      expect(leftovers).toEqual([]);
    });

    test('says so where the daemon does not run, or dies in the middle of a run', async () => {
      const mortal = forThisTest(await startInstanceDaemon(kind));
      const way = [kind, '--program', mortal.program, '--session=stand-in'];
      const { testbed, log } = await open([...way, small(mortal)]);
      const running = testbed.start('echo here; sleep 1000');
      await once(running.stdout, 'data');
      await mortal.kill();
      // Its client ends with the exit status 1 then: that is not the command's.
      expect((await running.ended).result).toMatchObject({ kind: 'lost' });
      expect((await log.first('guest.stopped')).reason).toContain(`the daemon of ${kind} does not answer`);
      const { cause, leftovers } = await testbed.close();
      expect(cause).toMatchObject({ class: 'testbed-died' });
      expect(leftovers).toContainEqual(expect.objectContaining({ kind: 'container' }));
      expect(await refusal([kind, '--program', mortal.program, 'image'])).toMatchObject({
        code: 'daemon-not-running',
        class: 'provision-failed',
      });
    });

    test('says so where the daemon has no storage yet', async () => {
      const bare = forThisTest(await startInstanceDaemon(kind, { prepared: false }));
      expect(await probe(kind, { LXD_DIR: bare.directory, INCUS_DIR: bare.directory })).toMatchObject({
        available: false,
        missing: `${kind} has no storage for instances yet`,
        remedy: expect.stringContaining('init --minimal'),
      });
    });
  });
}

/** An image that boots, of next to nothing. */
function small(daemon: InstanceDaemon): string {
  const directory = mkdtempSync(join(tmpdir(), 'trundle-lxd-image-'));
  try {
    return daemon.image(tinyImage(join(directory, 'tiny.tar'), bootable));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The names of a run's instances. */
function instancesOf(daemon: InstanceDaemon, run: string): string[] {
  const names = daemon.run('list', '--format=csv', '--columns=n').split('\n');
  return names.filter((each) => each.includes(run));
}

function runOf({ events }: EventLog): string {
  return (events[0] as TrundleEvent).run;
}
