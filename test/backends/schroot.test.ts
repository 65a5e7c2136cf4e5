import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ChrootKeys, defineChroot } from '../support/chroots.ts';
import { tinyRoot } from '../support/images.ts';
import { makeLifeline } from '../support/lifeline.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest } from '../support/workplace.ts';
import { open, refusal } from './support/open.ts';

/** A chroot with a tiny root, whose sessions are overlays on it. */
function tinyChroot(keys: ChrootKeys = {}) {
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
});
