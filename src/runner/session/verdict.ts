import type { Clock, TrundleEvent } from '../../events/index.ts';
import type { Run } from '../../testbed/index.ts';
import { answered } from './answered.ts';

/**
 * Tells a fact about a test to the run and waits for the verdict.
 * @throws Error where there is none: a fault of Trundle, not of the package
 */
export function judged(run: Run, clock: Clock, test: string, tell: () => void): Promise<TrundleEvent<'test.judged'>> {
  const isAnswer = (event: TrundleEvent): event is TrundleEvent<'test.judged'> =>
    event.type === 'test.judged' && event.test === test;
  return answered(run, clock, { what: `test ${test}`, isAnswer, tell });
}

/** A verdict as it stands in the summary. Pure. */
export function reportLine(
  outcome: TrundleEvent<'test.judged'>['outcome'],
  reason: string,
  superficial: boolean,
): string {
  switch (outcome) {
    case 'pass':
      return superficial ? 'PASS (superficial)' : 'PASS';
    case 'badpkg':
      return 'FAIL badpkg';
    default:
      return `${outcome.toUpperCase()} ${reason}`;
  }
}
