import type { Clock, TrundleEvent } from '../../events/index.ts';
import type { Run } from '../../testbed/index.ts';

/** Milliseconds within which a fact must have been answered; machines answer at once, so more is a fault of ours. */
const LIMIT = 10_000;

/** What is told, and what answers it. */
export interface Question<T extends TrundleEvent> {
  /** For messages: "test t1". */
  readonly what: string;
  readonly isAnswer: (event: TrundleEvent) => event is T;
  readonly tell: () => void;
}

/**
 * Tells a fact to the run and waits for what the run machine makes of it.
 * @throws Error where there is no answer: a fault of Trundle, not of the package
 */
export function answered<T extends TrundleEvent>(run: Run, clock: Clock, question: Question<T>): Promise<T> {
  const { what, isAnswer, tell } = question;
  return new Promise((resolve, reject) => {
    const give = (act: () => void) => {
      clock.clear(timer);
      subscription.unsubscribe();
      act();
    };
    const timer = clock.after(LIMIT, () =>
      give(() => reject(new Error(`${what} was not judged within ${LIMIT / 1000} s`))),
    );
    const subscription = run.events$.subscribe({
      next: (event) => {
        // An observer may be called before subscribe has returned; the answer never comes before tell().
        if (isAnswer(event)) give(() => resolve(event));
      },
      complete: () => give(() => reject(new Error(`the run was closed before ${what} was judged`))),
    });
    tell();
  });
}
