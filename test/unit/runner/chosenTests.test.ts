import { describe, expect, it } from 'vitest';
import { chosenTests } from '../../../src/runner/plan/chosenTests.ts';

describe('the tests asked for in a run of several packages', () => {
  it('are those of that name in every package, or of PACKAGE/TEST in one', () => {
    expect(chosenTests(['a', 'b'], { testNames: ['smoke', 'a/deep'], skipTests: ['b/slow', 'noisy'] })).toEqual([
      { only: ['smoke', 'deep'], without: ['noisy'] },
      { only: ['smoke'], without: ['slow', 'noisy'] },
    ]);
  });

  it('leave out a package of which none is asked for', () => {
    expect(chosenTests(['a', 'b', 'a#2'], { testNames: ['a/smoke', 'a#2/deep'] })).toEqual([
      { only: ['smoke'], without: [] },
      null,
      { only: ['deep'], without: [] },
    ]);
    expect(chosenTests(['a', 'b'], { skipTests: ['a/smoke'] })).toEqual([
      { only: [], without: ['smoke'] },
      { only: [], without: [] },
    ]);
  });

  it('are refused for a package that there is not', () => {
    expect(() => chosenTests(['a', 'b'], { testNames: ['c/smoke'] })).toThrow(
      '--test-name c/smoke: expected TEST or PACKAGE/TEST, and the packages are a, b',
    );
    expect(() => chosenTests(['a'], { skipTests: ['/smoke'] })).toThrow('--skip-test /smoke');
  });
});
