import type { Clock, TrundleEvent } from '../../events/index.ts';
import type { Run } from '../../testbed/index.ts';

/** Milliseconds within which a fact must have been judged; machines answer at once, so more is a fault of ours. */
const LIMIT = 10_000;

/**
 * Tells a fact to the run and waits for what the run machine makes of it.
 * @throws Error where there is no verdict: a fault of Trundle, not of the package
 */
export function judged(run: Run, clock: Clock, test: string, tell: () => void): Promise<TrundleEvent<'test.judged'>> {
  return new Promise((resolve, reject) => {
    const give = (what: () => void) => {
      clock.clear(timer);
      subscription.unsubscribe();
      what();
    };
    const timer = clock.after(LIMIT, () =>
      give(() => reject(new Error(`test ${test} was not judged within ${LIMIT / 1000} s`))),
    );
    const subscription = run.events$.subscribe({
      next: (event) => {
        // An observer may be called before subscribe has returned; the verdict never comes before tell().
        if (event.type === 'test.judged' && event.test === test) give(() => resolve(event));
      },
      complete: () => give(() => reject(new Error(`the run was closed before test ${test} was judged`))),
    });
    tell();
  });
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
