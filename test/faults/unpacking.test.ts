import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { refusal } from '../backends/support/open.ts';
import { defineChroot } from '../support/chroots.ts';
import { type ContainerProgram, rootPodman, startDocker } from '../support/containers.ts';
import { tinyImage, tinyRoot } from '../support/images.ts';
import { startInstanceDaemon } from '../support/lxd.ts';
import { describeWith, type Need } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { runIn, withSmall } from './support/runIn.ts';
import { mountTmpfs } from './support/sshServer.ts';

/** Bytes of a disk that holds an image of next to nothing, twice. */
const STORE_SIZE = 32 * 1024 * 1024;

const FILES: readonly Need[] = ['root', 'unshare', 'busybox', 'tar', 'overlay', 'tmpfs'];

/** The backends that unpack tarballs themselves. */
const UNPACKERS: readonly { name: string; needs: readonly Need[]; words: (image: string) => string[] }[] = [
  { name: 'chroot', needs: FILES, words: (image) => ['chroot', image] },
  { name: 'unshare', needs: FILES, words: (image) => ['unshare', '--tarball', image] },
  { name: 'nspawn', needs: [...FILES, 'systemd-nspawn'], words: (image) => ['nspawn', image] },
  { name: 'lxc', needs: [...FILES, 'lxc-start'], words: (image) => ['lxc', image] },
];

/** Has images unpacked below a directory, for the running test. Gives what stands there of them. */
function unpackedIn(directory: string): () => string[] {
  vi.stubEnv('XDG_CACHE_HOME', directory);
  onTestFinished(() => void vi.unstubAllEnvs());
  return () => readdirSync(join(directory, 'trundle/images')).filter((name) => !name.endsWith('.lock'));
}

for (const { name, needs, words } of UNPACKERS) {
  describeWith(needs, `${name}, as it unpacks a tarball`, () => {
    test('that is cut off: image-damaged, and keeps nothing of it', async () => {
      const halves = unpackedIn(workplace());
      const image = tinyImage(join(workplace(), 'tiny.tar'));
      truncateSync(image, readFileSync(image).length / 2);
      expect(await refusal(words(image))).toMatchObject({
        code: 'image-damaged',
        message: expect.stringContaining('Unexpected EOF'),
        remedy: expect.stringContaining(`tar -tf ${image}`),
        class: 'provision-failed',
        phase: 'provision',
      });
      expect(halves()).toEqual([]);
    });

    test('that is the image of a disk: image-damaged, and keeps nothing of it', async () => {
      const halves = unpackedIn(workplace());
      const image = join(workplace(), 'disk.img');
      // As that of an ext4: its first kilobyte is not used.
      writeFileSync(image, Buffer.alloc(16 * 1024, 'x').fill(0, 0, 1024));
      expect(await refusal(words(image))).toMatchObject({
        code: 'image-damaged',
        message: expect.stringContaining('image of a disk'),
        class: 'provision-failed',
      });
      expect(halves()).toEqual([]);
    });

    test('on a disk that is full: ENOSPC, and keeps nothing of it', async () => {
      const image = tinyImage(join(workplace(), 'tiny.tar'));
      const small = join(workplace(), 'small');
      mountTmpfs(small, '1m');
      onTestFinished(() => void execFileSync('umount', ['--lazy', small]));
      const halves = unpackedIn(small);
      expect(await refusal(words(image))).toMatchObject({
        code: 'ENOSPC',
        message: expect.stringMatching(/No space left on device|Wrote only/),
        remedy: expect.stringContaining('XDG_CACHE_HOME'),
        class: 'host-disk-full',
        phase: 'provision',
      });
      expect(halves()).toEqual([]);
    });
  });
}

describeWith(FILES, 'unshare, as it sets a testbed up', () => {
  test('where TMPDIR has no room for what it writes: ENOSPC, and leaves nothing there', async () => {
    const root = tinyRoot(join(workplace(), 'root'));
    // An account is made in the layer, where there is none but root's.
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    const small = join(workplace(), 'small');
    mountTmpfs(small, '64k');
    onTestFinished(() => void execFileSync('umount', ['--lazy', small]));
    expect(() => writeFileSync(join(small, 'filler'), Buffer.alloc(64 * 1024 + 1))).toThrow('ENOSPC');
    vi.stubEnv('TMPDIR', small);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await refusal(['unshare', '--tarball', root])).toMatchObject({
      code: 'ENOSPC',
      message: expect.stringContaining('No space left on device'),
      remedy: expect.stringContaining('TMPDIR'),
      class: 'host-disk-full',
    });
    expect(readdirSync(small)).toEqual(['filler']);
  });
});

/** The backends whose own program keeps what testbeds are made of, with a store that has no room for one. */
const STORES: readonly { name: string; needs: readonly Need[]; full: (disk: string) => Promise<Store> }[] = [
  { name: 'podman', needs: ['podman', 'runc'], full: (disk) => ofContainers(rootPodman(disk), disk) },
  {
    name: 'docker',
    needs: ['dockerd', 'pid-namespace'],
    full: async (disk) => ofContainers(await startDocker(disk), disk),
  },
  { name: 'lxd', needs: ['lxd', 'pid-namespace'], full: () => ofInstances('lxd') },
  { name: 'incus', needs: ['incus', 'pid-namespace'], full: () => ofInstances('incus') },
];

/** A store that is full but for its image. */
interface Store {
  readonly program: string;
  readonly image: string;
  /** What the program knows of testbeds. */
  testbeds(): string;
}

/** The image is there before the disk is full. */
async function ofContainers(engine: ContainerProgram, disk: string): Promise<Store> {
  const { program, run } = forThisTest(engine);
  const image = engine.image(tinyImage(join(workplace(), 'tiny.tar')));
  expect(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(STORE_SIZE))).toThrow('ENOSPC');
  return { program, image, testbeds: () => run('ps', '--all', '--format', '{{.Names}}') };
}

/** Images are kept elsewhere, and unpacked into a pool, which is too small. */
async function ofInstances(kind: 'lxd' | 'incus'): Promise<Store> {
  const daemon = forThisTest(await startInstanceDaemon(kind, { room: '600k' }));
  const image = daemon.image(tinyImage(join(workplace(), 'tiny.tar')));
  return { program: daemon.program, image, testbeds: () => daemon.run('list', '--format=csv', '--columns=n') };
}

for (const { name, needs, full } of STORES) {
  describeWith(['root', 'busybox', 'tar', 'tmpfs', ...needs], `${name}, as it makes a testbed in a store`, () => {
    test('of which the disk is full: ENOSPC, and leaves nothing there', async () => {
      const disk = join(workplace(), 'disk');
      mountTmpfs(disk, String(STORE_SIZE));
      onTestFinished(() => void execFileSync('umount', ['--lazy', disk]));
      const { program, image, testbeds } = await full(disk);
      expect(await refusal([name, '--program', program, image])).toMatchObject({
        code: 'ENOSPC',
        message: expect.stringMatching(/no space left on device|run out of disk space/),
        remedy: expect.stringContaining('df -h'),
        class: 'host-disk-full',
        phase: 'provision',
      });
      expect(testbeds().trim()).toBe('');
    });
  });
}

describeWith(['root', 'schroot', 'busybox', 'tar', 'tmpfs'], 'schroot, as it unpacks a tarball', () => {
  test('on a disk of its own that is full: ENOSPC, and keeps nothing of it', async () => {
    const chroot = forThisTest(
      defineChroot((directory) => ({ type: 'file', file: tinyImage(join(directory, 'tiny.tar')) })),
    );
    const env = { TMPDIR: workplace(), XDG_STATE_HOME: workplace() };
    const words = ['exec', '--json', '-n', 'true', '--', 'schroot', chroot.name];
    const { status, stdout, stderr } = await runIn(withSmall('/var/lib/schroot/unpack'), words, env);
    expect(stderr).toMatch(/: ENOSPC: /);
    expect(JSON.parse(stdout)).toMatchObject({ cause: { class: 'host-disk-full', phase: 'provision' } });
    expect(status).toBe(20);
    expect(chroot.sessions()).toEqual([]);
  });
});
