import type { Clock } from '../../events/index.ts';
import type { Run } from '../../testbed/index.ts';

/** The limit of a whole run (--timeout). */
export interface WholeRun {
  /** Aborts when the run is told to end, or has taken too long. */
  readonly signal: AbortSignal;
  /** Aborts only where it has taken too long; null where it may take any time. */
  readonly late: AbortSignal | null;
  /** Takes the limit back. */
  done(): void;
}

/** Gives the run so many seconds. What ended it is told before anything ends of it, so it is the cause. */
export function wholeRun(run: Run, clock: Clock, seconds: number | undefined): WholeRun {
  if (seconds === undefined) return { signal: run.aborted, late: null, done: () => {} };
  const late = new AbortController();
  const timer = clock.after(seconds * 1000, () => {
    const doing = 'running the tests';
    const detail = `the run took more than ${seconds} s (--timeout)`;
    const cause = { class: 'deadline-expired', phase: 'exec', doing, detail, evidence: [] } as const;
    if (!run.aborted.aborted) {
      const told = { ...cause, evidence: [] };
      run.emit({ type: 'step.failed', testbed: null, from: 'runner', doing, cause: told });
    }
    late.abort(new Error(detail));
  });
  return { signal: AbortSignal.any([run.aborted, late.signal]), late: late.signal, done: () => clock.clear(timer) };
}
