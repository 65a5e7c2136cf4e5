import { expect, test } from 'vitest';
import { chrootNames } from '../../../src/backends/schroot/chroots.ts';

test('of what schroot lists, the names of chroots are those that it can tell of', () => {
  // An alias of a chroot with a union has a source under an old name too, which is no chroot to `schroot --config`.
  const listed = [
    'chroot:sid',
    'chroot:unstable',
    'chroot:unstable-source',
    'chroot:my-source',
    'source:sid',
    'source:unstable',
  ];
  expect(chrootNames(`${listed.join('\n')}\n`)).toEqual(['sid', 'unstable', 'my-source']);
  expect(chrootNames('')).toEqual([]);
});
