import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { open, refusal } from '../backends/support/open.ts';
import { IMAGE_PATIENCE } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { PROVIDERS, type Provider } from './support/providers.ts';
import { exitingSshd, foreign, noShell } from './support/spoilt.ts';

for (const { name, needs, make } of PROVIDERS) {
  describeWith(needs, `an image of ${name}`, () => {
    let provider: Provider;
    let sound = '';
    beforeAll(async () => {
      provider = await make();
      sound = provider.image();
    }, IMAGE_PATIENCE);
    afterAll(() => provider?.[Symbol.asyncDispose]());

    test('without a shell: no-shell', async () => {
      expect(await refusal(provider.words(provider.image(noShell)))).toMatchObject({
        code: 'no-shell',
        class: 'boot-failed',
        phase: 'boot',
        remedy: expect.stringContaining('POSIX shell'),
      });
    });

    test('for another kind of processor: wrong-architecture', async () => {
      expect(await refusal(provider.words(provider.image(foreign)))).toMatchObject({
        code: 'wrong-architecture',
        class: 'boot-failed',
        phase: 'boot',
      });
    });

    test('without an sshd, where a login is asked for: no-sshd', async () => {
      expect(await refusal(provider.words(sound, '--session=login'))).toMatchObject({
        code: 'no-sshd',
        class: 'boot-failed',
        phase: 'boot',
        remedy: expect.stringContaining('openssh-server'),
      });
    });

    test('whose sshd exits: the connection was closed, with its last words', async () => {
      const refused = await refusal(provider.words(provider.image(exitingSshd)), {
        deadlines: { 'ssh-ready': 3000, redial: 500 },
      });
      expect(refused).toMatchObject({ class: 'connection-closed', phase: 'ssh-ready' });
      // podman loses what a command says that ends while its stdin is written to; it is asked several times.
      const told = refused.log.all('dial.failed').map(({ failure }) => failure.message);
      expect(told).toContainEqual(expect.stringContaining('it said: sshd: out of luck'));
    });

    test('whose /tmp is full: the copy fails for it, and the testbed goes on', async () => {
      const small = name === 'podman' || name === 'docker' ? ['--tmpfs=/tmp:size=1m'] : [];
      const { testbed } = await open([...provider.words(sound), ...small]);
      if (small.length === 0) await testbed.exec('mount -t tmpfs -o size=1m none /tmp');
      expect(await testbed.exec('cat /dev/zero >/tmp/filler')).toMatchObject({ status: 1 });
      const large = join(workplace(), 'large');
      writeFileSync(large, Buffer.alloc(2 ** 20, 'x'));
      await expect(testbed.copyDown(large, '/tmp/large')).rejects.toMatchObject({
        cause: { class: 'testbed-disk-full', phase: 'copy' },
      });
      expect(await testbed.exec('rm /tmp/filler; ls /tmp')).toMatchObject({ status: 0, stdout: '' });
      expect((await testbed.close()).cause).toBeNull();
    });
  });
}
