import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { dockerBackend } from '../../src/backends/containers/index.ts';
import { Cli, cli } from '../e2e/support/cli.ts';
import { keptDocker, startDocker } from '../support/containers.ts';
import { debianImage, tinyImage } from '../support/images.ts';
import { describeWith, type Need } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { containerSuite } from './support/containerSuite.ts';
import { open, refusal } from './support/open.ts';

const NEEDS: readonly Need[] = ['root', 'dockerd', 'pid-namespace'];

containerSuite({ name: 'docker', needs: NEEDS, make: keptDocker });

describeWith([...NEEDS, 'mmdebstrap', 'tar'], 'docker gives a container no /run of its own', () => {
  test('where that is read-only, the image’s sshd is not blamed for it', async () => {
    const daemon = forThisTest(await keptDocker());
    const words = ['docker', '--program', daemon.program, daemon.image(debianImage()), '--read-only'];
    expect(await refusal(words)).toMatchObject({
      code: 'read-only',
      remedy: expect.stringContaining('--tmpfs=/run'),
      class: 'boot-failed',
    });
    const { testbed } = await open([...words, '--tmpfs=/run']);
    expect(testbed.endpoint).toMatchObject({ server: 'sshd' });
  });
});

describeWith([...NEEDS, 'busybox', 'tar'], 'docker says what is wrong with its daemon', () => {
  test('where none runs', async () => {
    const daemon = forThisTest(await startDocker());
    await daemon.kill();
    const refused = await refusal(['docker', '--program', daemon.program, 'image']);
    expect(refused).toMatchObject({
      code: 'daemon-not-running',
      message: expect.stringContaining('the daemon of docker does not answer'),
      remedy: expect.stringContaining('systemctl start docker'),
      class: 'provision-failed',
    });
    expect(refused.log.events.filter(({ type }) => type === 'event.unexpected')).toEqual([]);
  });

  test("where none runs, to who asks what there is, also by Debian's own client, which tells less than others", async () => {
    vi.stubEnv('PATH', '/usr/sbin:/usr/bin:/sbin:/bin');
    vi.stubEnv('DOCKER_HOST', `unix://${join(workplace(), 'none')}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await dockerBackend.probe()).toMatchObject({
      available: false,
      missing: expect.stringContaining('the daemon of docker does not answer'),
      remedy: expect.stringContaining('systemctl start docker'),
    });
  });

  test('is remembered for reap, which may be run where another one is the usual', async () => {
    const daemon = forThisTest(await startDocker());
    const image = daemon.image(tinyImage(join(workplace(), 'tiny.tar')));
    const socket = /DOCKER_HOST=(\S+)/.exec(readFileSync(daemon.program, 'utf8'))?.[1] ?? '';
    const trace = join(workplace(), 'trace');
    const words = ['exec', '--trace', trace, 'sh', '-c', 'echo going on; sleep 1000', '--', 'docker', image];
    const runner = new Cli(words, { env: { DOCKER_HOST: socket } });
    await runner.says('going on');
    runner.kill('SIGKILL');
    await runner.ended;
    const nowhere = `unix://${join(workplace(), 'none')}`;
    const reaped = await cli(['reap', '--json', trace], { env: { DOCKER_HOST: nowhere } });
    expect(JSON.parse(reaped.stdout).runs).toMatchObject([{ outcome: 'finished', left: [] }]);
    expect(daemon.run('ps', '--all', '--quiet')).toBe('');
  });

  test('where it dies in the middle of a run, and names what is left', async () => {
    const daemon = forThisTest(await startDocker());
    const image = daemon.image(tinyImage(join(workplace(), 'tiny.tar')));
    const { testbed, log } = await open(['docker', '--program', daemon.program, image]);
    const running = testbed.start('echo here; sleep 1000');
    await once(running.stdout, 'data');
    await daemon.kill();
    // Its client ends with the exit status 1 or 137 then.
    expect((await running.ended).result).toMatchObject({ kind: 'lost' });
    const { reason } = await log.first('guest.stopped');
    expect(reason).toContain('the daemon of docker does not answer');
    const { cause, leftovers } = await testbed.close();
    expect(cause).toMatchObject({ class: 'testbed-died', detail: expect.stringContaining('does not answer') });
    expect(leftovers).toContainEqual(
      expect.objectContaining({ kind: 'container', release: expect.arrayContaining(['rm', '--force']) }),
    );
    for (const { kind, name } of leftovers) if (kind === 'directory') rmSync(name, { recursive: true });
  });
});
