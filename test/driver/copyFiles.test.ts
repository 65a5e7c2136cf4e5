import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sessionEnvironment, startSshServer } from '../faults/support/sshServer.ts';
import { FaultProxy } from '../support/faultProxy.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { endpointOf, hostAt, onEveryServer, openHost, publicPlace } from './support/openHost.ts';

const LONG_AGO = new Date('2001-02-03T04:05:06Z');

onEveryServer('the copy of a file', [], (host) => {
  test('brings bytes, mode and time over, both ways', async () => {
    const bytes = randomBytes(3_000_001);
    for (const mode of [0o644, 0o755, 0o600, 0o2750]) {
      const { from, there, back } = places();
      writeFileSync(from, bytes);
      chmodSync(from, mode);
      utimesSync(from, LONG_AGO, LONG_AGO);
      await host.testbed.copyDown(from, there);
      expect(readFileSync(there).equals(bytes)).toBe(true);
      await host.testbed.copyUp(there, back);
      expect(readFileSync(back).equals(bytes)).toBe(true);
      // A setuid bit or its like was for another owner: it does not come back.
      for (const [copy, bits] of [
        [there, mode],
        [back, mode & 0o777],
      ] as const) {
        expect((statSync(copy).mode & 0o7777).toString(8)).toBe(bits.toString(8));
        expect(statSync(copy).mtime).toEqual(LONG_AGO);
      }
    }
  });

  test.each(['-rf', '--', 'a b', 'new\nline', "it's", '$HOME', '~', '*', 'ü€', `long-${'x'.repeat(245)}`])(
    'may be called %j',
    async (name) => {
      const directory = publicPlace();
      const from = join(directory, 'from');
      writeFileSync(from, 'content');
      mkdirSync(join(directory, 'there'));
      chmodSync(join(directory, 'there'), 0o777);
      await host.testbed.copyDown(from, join(directory, 'there', name));
      await host.testbed.copyUp(join(directory, 'there', name), join(directory, name));
      expect(readFileSync(join(directory, name), 'utf8')).toBe('content');
      expect(readdirSync(join(directory, 'there'))).toEqual([name]);
    },
  );

  test('may be named from the login directory on, also by a name that looks like an option', async () => {
    const from = join(workplace(), 'from');
    writeFileSync(from, 'content');
    const name = `-trundle-${process.pid}`;
    await host.testbed.copyDown(from, name);
    await host.testbed.copyUp(name, `${from}-back`);
    expect(readFileSync(`${from}-back`, 'utf8')).toBe('content');
    await host.testbed.exec(['rm', '--', name]);
  });

  test('of nothing is a file of nothing', async () => {
    const { from, there, back } = places();
    writeFileSync(from, '');
    await host.testbed.copyDown(from, there);
    await host.testbed.copyUp(there, back);
    expect(readFileSync(back, 'utf8')).toBe('');
  });

  test('tells how far it is', async () => {
    const { from, there, back } = places();
    writeFileSync(from, Buffer.alloc(5_000_000));
    for (const copy of [
      (onProgress: (bytes: number) => void) => host.testbed.copyDown(from, there, { onProgress }),
      (onProgress: (bytes: number) => void) => host.testbed.copyUp(there, back, { onProgress }),
    ]) {
      const told: number[] = [];
      await copy((bytes) => told.push(bytes));
      expect(told.length).toBeGreaterThan(1);
      expect(told).toEqual([...told].sort((a, b) => a - b));
      expect(told.at(-1)).toBe(5_000_000);
    }
  });

  test('takes the place of a symbolic link, and leaves alone what it points to', async () => {
    const { from, there } = places();
    writeFileSync(from, 'new');
    writeFileSync(`${there}-else`, 'old');
    symlinkSync(`${there}-else`, there);
    await host.testbed.copyDown(from, there);
    expect(readFileSync(there, 'utf8')).toBe('new');
    expect(readFileSync(`${there}-else`, 'utf8')).toBe('old');
  });

  test('that fails says why and where', async () => {
    const { testbed } = host;
    const { from, there, back } = places();
    writeFileSync(from, 'x');
    const gone = join(there, '..', 'no', 'such', 'place');
    await fails(testbed.copyDown(`${from}-not`, there), /on the host: .*ENOENT.*from-not/);
    await fails(testbed.copyDown(from, gone), /on the testbed: .*no\/such.*No such file or directory/);
    await fails(testbed.copyDown(from, join(from, 'below')), /on the testbed: .*from.*Not a directory/);
    await fails(testbed.copyDown(from, publicPlace()), /on the testbed: .*Is a directory/);
    await fails(testbed.copyDown(publicPlace(), there), /on the host: .* is no file; .*slash/);
    await fails(testbed.copyDown(from, '/proc/version'), /on the testbed: .*\/proc/);
    await fails(testbed.copyUp(gone, back), /on the testbed: .*place.*No such file or directory/);
    await fails(testbed.copyUp('/', back), /either both paths end in a slash/);
    await fails(testbed.copyUp('/usr', back), /on the testbed: .*\/usr: Is a directory; .*slash/);
    await fails(testbed.copyUp('/dev/zero', back), /on the testbed: .*\/dev\/zero: no regular file/);
    await fails(testbed.copyUp('/etc/passwd', join(back, 'no', 'such')), /on the host: .*ENOENT/);
    await fails(testbed.copyUp('/etc/passwd', publicPlace()), /on the host: .*(EISDIR|directory)/);
    expect(existsSync(back)).toBe(false);
    expect(await testbed.exec(['true'])).toMatchObject({ status: 0 });
  });

  test('that is cancelled leaves what was there', async () => {
    const { from, there, back } = places();
    writeFileSync(from, Buffer.alloc(50_000_000));
    for (const [target, copy] of [
      [there, (options: object) => host.testbed.copyDown(from, there, options)],
      [back, (options: object) => host.testbed.copyUp(from, back, options)],
    ] as const) {
      writeFileSync(target, 'old');
      chmodSync(target, 0o666);
      const aborter = new AbortController();
      const copying = copy({ signal: aborter.signal, onProgress: () => aborter.abort(new Error('enough')) });
      await expect(copying).rejects.toThrow();
      expect(readFileSync(target, 'utf8')).toBe('old');
    }
    expect(readdirSync(join(from, '..')).filter((name) => name.includes('.trundle'))).toEqual([]);
  });
});

describeWith(['sshd'], 'a file whose copy is cut off', () => {
  test.each(['down', 'up'] as const)('on its way %s stays as it was', async (direction) => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const proxy = forThisTest(await FaultProxy.to(sshd.address));
    const host = forThisTest(await openHost(hostAt(endpointOf(sshd, { via: { kind: 'tcp', ...proxy.address } }))));
    const { from, there } = places();
    writeFileSync(from, randomBytes(8_000_000));
    writeFileSync(there, 'old');
    const cut = proxy.after(4_000_000, direction === 'down' ? 'up' : 'down', 'close');
    const copying = direction === 'down' ? host.testbed.copyDown(from, there) : host.testbed.copyUp(from, there);
    // Whether what we sent meanwhile was answered by a reset is up to the kernel.
    const lost = expect.stringMatching(/^connection-(closed|reset)$/);
    await expect(copying).rejects.toMatchObject({ cause: { class: lost } });
    await cut;
    expect(readFileSync(there, 'utf8')).toBe('old');
  });
});

describeWith(['sshd', 'root'], 'a file with its owner', () => {
  test('is the same number’s on the other side, where that is asked for', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const host = forThisTest(await openHost(hostAt(endpointOf(sshd))));
    const { from, there, back } = places();
    writeFileSync(from, 'x');
    await host.testbed.exec(['chown', '4321:8765', from]);
    chmodSync(from, 0o4751);
    await host.testbed.copyDown(from, there, { owners: true });
    await host.testbed.copyUp(there, back, { owners: true });
    for (const copy of [there, back]) {
      const { uid, gid, mode } = statSync(copy);
      expect([uid, gid, (mode & 0o7777).toString(8)]).toEqual([4321, 8765, '4751']);
    }
    await host.testbed.copyDown(from, there);
    expect(statSync(there).uid).toBe(0);
  });
});

async function fails(copying: Promise<void>, words: RegExp): Promise<void> {
  await expect(copying).rejects.toMatchObject({
    cause: { class: 'copy-failed', phase: 'copy', detail: expect.stringMatching(words) },
  });
}

/** A file of the host, one of the testbed and another of the host. */
function places(): { from: string; there: string; back: string } {
  const directory = publicPlace();
  return { from: join(directory, 'from'), there: join(directory, 'there'), back: join(directory, 'back') };
}
