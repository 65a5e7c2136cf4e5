import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions, isVersion } from '../../../src/runner/control/version.ts';
import { describeWith } from '../../support/needs.ts';

const upstream = fc.stringMatching(/^[0-9][a-c0-2.+~]{0,5}$/);
const revision = fc.option(fc.stringMatching(/^[a-b0-2.+~]{1,3}$/), { nil: null });
const epoch = fc.option(fc.integer({ min: 0, max: 2 }), { nil: null });
const version = fc
  .tuple(epoch, upstream, revision)
  .map(([e, u, r]) => `${e === null ? '' : `${e}:`}${u}${r === null ? '' : `-${r}`}`);

describe('Debian versions', () => {
  it.each([
    ['1.0', '1.0', 0],
    ['1.0', '1.0-0', 0],
    ['1.0~rc1', '1.0', -1],
    ['1.0', '1.0a', -1],
    ['1.0a', '1.0+', -1],
    ['1.9', '1.10', -1],
    ['1:0.1', '9', 1],
    ['1.0-1', '1.0-1+b1', -1],
    ['0:2', '2', 0],
    ['1.00000000000000000001', '1.00000000000000000002', -1],
    ['99999999999999999998', '99999999999999999999', -1],
  ])('%s against %s', (left, right, sign) => {
    expect(Math.sign(compareVersions(left, right))).toBe(sign);
    expect(Math.sign(compareVersions(right, left))).toBe(-sign + 0);
  });

  it('are in one order', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(compareVersions(a, a)).toBe(0);
        expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0);
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it.each([
    ['1', true],
    ['1:2:3-4', true],
    ['1.0-1~bpo12+1', true],
    ['a', false],
    ['1_2', false],
    ['', false],
    ['x:1', false],
    ['2147483647:1', true],
    ['2147483648:1', false],
  ])('%j is one: %s', (text, expected) => expect(isVersion(text)).toBe(expected));
});

describeWith(['dpkg'], 'Debian versions on a Debian system', () => {
  it('are in the order that dpkg puts them in', () => {
    fc.assert(
      fc.property(version, version, (left, right) => {
        const relation = compareVersions(left, right) < 0 ? 'lt' : compareVersions(left, right) > 0 ? 'gt' : 'eq';
        expect(spawnSync('dpkg', ['--compare-versions', left, relation, right]).status).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
