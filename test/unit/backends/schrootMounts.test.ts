import { expect, test } from 'vitest';
import { mountedAt, mountsBelow } from '../../../src/backends/schroot/mounts.ts';
import { mountedUnder, parseMounts } from '../../../src/backends/shared/mounts.ts';

const ROOT = '/run/schroot/mount/a-session';

const TEXT = `22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 0:5 / /proc rw shared:2 - proc proc rw
41 22 254:1 /srv/image /var/lib/schroot/union/underlay/a-session rw - ext4 /dev/vda1 rw
42 22 0:50 / ${ROOT} rw - overlay a-chroot rw
43 42 0:5 / ${ROOT}/proc rw - proc proc rw
44 42 0:6 / ${ROOT}/dev rw master:3 - devtmpfs udev rw
45 44 0:7 / ${ROOT}/dev/pts rw - devpts devpts rw
46 43 0:51 / ${ROOT}/proc rw - proc proc rw
47 42 0:52 / ${ROOT}/mnt/a\\040place rw - tmpfs none rw
48 22 0:53 / ${ROOT}-and-more rw - overlay another rw
`;

test('tells what is mounted where, and whether others see what happens below it', () => {
  const mounts = parseMounts(TEXT);
  expect(mounts).toHaveLength(10);
  expect(mounts[0]).toEqual({ point: '/', shared: true });
  expect(mounts[5]).toEqual({ point: `${ROOT}/dev`, shared: false });
  expect(mounts[8]).toEqual({ point: `${ROOT}/mnt/a place`, shared: false });
});

test('finds where a session is mounted by its id', () => {
  const mounts = parseMounts(TEXT);
  expect(mountedAt('a-session', mounts)).toBe(ROOT);
  expect(mountedAt('session', mounts)).toBeNull();
});

test('does not guess where two places may be meant', () => {
  const twice = parseMounts(`${TEXT}50 22 0:60 / /var/run/schroot/mount/a-session rw - overlay a-chroot rw\n`);
  expect(mountedAt('a-session', twice)).toBeNull();
});

test('unmounts the last first, the same place as often as it is mounted over, and nothing of other sessions', () => {
  expect(mountsBelow(ROOT, parseMounts(TEXT))).toEqual([
    `${ROOT}/mnt/a place`,
    `${ROOT}/proc`,
    `${ROOT}/dev/pts`,
    `${ROOT}/dev`,
    `${ROOT}/proc`,
  ]);
});

test('unmounts nothing where the machine would feel it', () => {
  expect(mountsBelow(ROOT, parseMounts(TEXT.replace('master:3', 'shared:3')))).toEqual([]);
  expect(mountsBelow(ROOT, parseMounts(TEXT.replace('/dev/pts rw -', '/dev/pts rw shared:4 -')))).toEqual([]);
});

test('tells what a root has mounted in some places: all of a stack, and only the top of a tree', () => {
  const mounts = parseMounts(TEXT);
  expect(mountedUnder(ROOT, ['/proc', '/dev', '/run'], mounts)).toEqual(['/proc', '/dev', '/proc']);
  expect(mountedUnder(ROOT, ['/dev/pts', '/mnt'], mounts)).toEqual(['/dev/pts', '/mnt/a place']);
  expect(mountedUnder('/', ['/proc', '/run'], mounts).slice(0, 2)).toEqual(['/proc', ROOT]);
  expect(mountedUnder('/srv', ['/proc', '/run'], mounts)).toEqual([]);
});
