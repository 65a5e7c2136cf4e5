import type { Clock } from '../../events/index.ts';

/** An AbortSignal with a deadline of its own. */
export interface Limit {
  /** Aborts at the deadline, or when the signal it was made from does. */
  readonly signal: AbortSignal;
  /** Whether it was the deadline. */
  readonly expired: boolean;
  /** Takes the deadline back; to be called when what it bounds has ended. */
  done(): void;
}

/** Bounds what takes an AbortSignal but no deadline. */
export function limited(clock: Clock, ms: number, signal: AbortSignal): Limit {
  const own = new AbortController();
  const timer = clock.after(ms, () => own.abort(new Error(`not done within ${ms / 1000} s`)));
  return {
    signal: AbortSignal.any([own.signal, signal]),
    get expired() {
      return own.signal.aborted;
    },
    done: () => clock.clear(timer),
  };
}

/** Waits. @throws the signal's reason where that aborts meanwhile */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const limit = limited(clock, ms, signal);
  await new Promise<void>((resolve) => {
    if (limit.signal.aborted) resolve();
    else limit.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  limit.done();
  signal.throwIfAborted();
}
