/** Time as the edges see it. Machines have none: a deadline reaches them as an event. */
export interface Clock {
  /** Milliseconds on a clock that never jumps. */
  now(): number;
  /** Calls back once after `ms`; the handle goes to {@link clear}. */
  after(ms: number, callback: () => void): unknown;
  clear(handle: unknown): void;
}

/** The longest delay that setTimeout keeps (24.8 days); a longer one would be over at once. */
const LONGEST = 2 ** 31 - 1;

/** The machine's own monotonic clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) => setTimeout(callback, Math.min(ms, LONGEST)),
  clear: (handle) => clearTimeout(handle as NodeJS.Timeout),
};
