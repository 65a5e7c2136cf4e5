import { describe, expect, test } from 'vitest';
import { needs } from '../../support/needs.ts';
import { ACCEPTED, fateOf } from '../../support/skips.ts';

describe('a suite', () => {
  test.each([true, false])('whose needs are all here is run, in CI: %s', (inCi) => {
    expect(fateOf([], inCi)).toEqual({ kind: 'run' });
  });

  test('is skipped outside CI for all that it lacks', () => {
    expect(fateOf(['lxd', 'root', 'archive'], false)).toEqual({ kind: 'skip', lacking: ['lxd', 'root', 'archive'] });
  });

  test.each([
    ['a package could give', 'lxd'],
    ['only the way CI is started could give', 'pid-namespace'],
  ] as const)('fails in CI where it lacks what %s', (_what, need) => {
    expect(fateOf([need], true)).toEqual({ kind: 'fail', lacking: [need] });
  });

  test('is skipped in CI for what CI may go without', () => {
    expect(fateOf(['archive'], true)).toEqual({ kind: 'skip', lacking: ['archive'] });
  });

  test('fails in CI for what it may not go without, whatever it lacks besides', () => {
    expect(fateOf(['archive', 'root'], true)).toEqual({ kind: 'fail', lacking: ['root'] });
  });
});

test('CI may go without nothing that a package gives', () => {
  const withPackage = Object.entries(needs).flatMap(([name, need]) => ('package' in need ? [name] : []));
  expect(Object.keys(ACCEPTED).filter((name) => withPackage.includes(name))).toEqual([]);
});
