import { describe, expect, test } from 'vitest';
import { freeSubids, parseSubids } from '../../../src/backends/shared/namespaces/subids.ts';

test('lines of subuid(5) name an owner, by name or uid; what is none is passed over', () => {
  expect(parseSubids('ann:100000:65536\n\n# none:1:1\n1001:165536:10\nbad:x:1\n')).toEqual([
    { owner: 'ann', start: 100_000, count: 65_536 },
    { owner: '1001', start: 165_536, count: 10 },
  ]);
});

describe('the range that a user is to be given', () => {
  const free = (text: string) => freeSubids(parseSubids(text));

  test('is the usual one where nobody has any', () => {
    expect(free('')).toBe('100000-165535');
  });

  test('is behind those that others have, in whichever order they stand', () => {
    expect(free('_lxd:100000:10000001\nroot:100000:10000001\n')).toBe('10100001-10165536');
    expect(free('b:165536:65536\na:100000:65536\n')).toBe('231072-296607');
    expect(free('a:99990:11\n')).toBe('100001-165536');
  });

  test('is in a gap that holds it, and not in a smaller one', () => {
    expect(free('a:100000:65536\nb:231072:65536\n')).toBe('165536-231071');
    expect(free('a:100000:65536\nb:231071:65537\n')).toBe('296608-362143');
  });

  test('minds a range within another', () => {
    expect(free('a:100000:1000000\nb:100100:10\n')).toBe('1100000-1165535');
  });
});
