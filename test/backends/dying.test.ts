import { beforeAll, describe, expect, test } from 'vitest';
import { remainsOf } from '../faults/support/outside.ts';
import { defineChroot, unpackedImage } from '../support/chroots.ts';
import { debianImage, IMAGE_PATIENCE } from '../support/images.ts';
import { describeWith, type Need } from '../support/needs.ts';
import { forThisTest } from '../support/workplace.ts';
import { type Opened, open } from './support/open.ts';

let tarball = '';
let root = '';
beforeAll(() => {
  tarball = debianImage();
  root = unpackedImage(tarball);
}, IMAGE_PATIENCE);

/** Backends whose testbeds have an init of ours, and what is typed for one of an image with an sshd. */
const BACKENDS: readonly { backend: string; needed: readonly Need[]; words: () => string[] }[] = [
  { backend: 'chroot', needed: ['unshare', 'overlay'], words: () => ['chroot', tarball] },
  { backend: 'unshare', needed: ['unshare', 'overlay'], words: () => ['unshare', '--tarball', root] },
  { backend: 'nspawn', needed: ['systemd-nspawn', 'overlay'], words: () => ['nspawn', root] },
  {
    backend: 'schroot',
    needed: ['schroot', 'overlay'],
    words: () => {
      const keys = () => ({ type: 'directory', directory: root, 'union-type': 'overlay' });
      return ['schroot', forThisTest(defineChroot(keys)).name];
    },
  },
];

/** Nobody in the testbed answers: what is waited for all the same is what follows from it. */
const IMPATIENT = { terminate: 500, kill: 500, close: 500, settle: 500, 'hang-up': 1000 };

/** A testbed in which the image's sshd answers, and a command in it that does not end. */
async function opened(words: readonly string[]): Promise<Opened & { lost: Promise<unknown> }> {
  const whole = await open([...words, '--session', 'login']);
  const { ended } = whole.testbed.start(['sleep', '1000']);
  await whole.log.first('command.started');
  return { ...whole, lost: ended.then(({ result }) => result) };
}

describe.each(BACKENDS)('$backend', ({ needed, words }) => {
  describeWith(['root', 'mmdebstrap', 'tar', 'proc', ...needed], 'with an sshd', () => {
    test.each([
      ['its sshd', 'kill -STOP $PPID'],
      ['all that runs in it', 'kill -STOP -1'],
    ])('ends with nothing left though %s was stopped', async (_what, line) => {
      const { testbed, log } = await open([...words(), '--session', 'login'], { deadlines: IMPATIENT });
      await testbed.exec(line, { timeout: 1000 }).catch(() => {});
      const { leftovers } = await testbed.close();
      expect(leftovers).toEqual([]);
      expect(remainsOf(log.events[0]?.run ?? '')).toEqual([]);
    });

    test('tells that its init was killed from outside, and not that a connection was lost', async () => {
      const { testbed, log, lost } = await opened(words());
      const { pid } = await log.first('process.spawned');
      process.kill(pid, 'SIGKILL');
      expect(await lost).toMatchObject({ kind: 'lost' });
      const { cause, leftovers } = await testbed.close();
      expect(cause).toMatchObject({ class: 'testbed-died', phase: 'exec' });
      expect(leftovers).toEqual([]);
    });

    test('tells that its init was ended from inside, and not that a connection was lost', async () => {
      const { testbed, lost } = await opened(words());
      await testbed.exec('kill -TERM 1').catch(() => {});
      expect(await lost).toMatchObject({ kind: 'lost' });
      const { cause, leftovers } = await testbed.close();
      expect(cause).toMatchObject({ class: 'testbed-died', phase: 'exec' });
      expect(leftovers).toEqual([]);
    });

    test('outlives the end of all else in it', async () => {
      const { testbed, log, lost } = await opened(words());
      await testbed.exec('kill -9 -1').catch(() => {});
      expect(await lost).toMatchObject({ kind: 'lost' });
      const { cause, leftovers } = await testbed.close();
      expect(cause).toMatchObject({ class: 'connection-closed' });
      expect(log.events.filter(({ type }) => type === 'guest.stopped')).toEqual([]);
      expect(leftovers).toEqual([]);
    });
  });
});
