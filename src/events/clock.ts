/** Time as the edges see it. Machines have none: a deadline reaches them as an event. */
export interface Clock {
  /** Milliseconds on a clock that never jumps. */
  now(): number;
  /** Calls back once after `ms`; the handle goes to {@link clear}. */
  after(ms: number, callback: () => void): unknown;
  /** Takes it back, where it is not over yet; null and undefined are no handle, and do no harm. */
  clear(handle: unknown): void;
}

/** The longest delay that setTimeout keeps (24.8 days); a longer one would be over at once. */
const LONGEST = 2 ** 31 - 1;

/**
 * The machine's own monotonic clock. Where this process or its machine stood still for a while, what others did in time
 * has come in by then and is heard first: a deadline that passed meanwhile is not to hide it.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) => new Timer(ms, callback),
  clear: (handle) => (handle as Timer | null | undefined)?.clear(),
};

/** Calls back when it is time, and when whatever was waiting to be read by then has been read. */
class Timer {
  readonly #timeout: NodeJS.Timeout;
  #turn: NodeJS.Immediate | undefined;
  #awaited = true;

  constructor(ms: number, callback: () => void) {
    this.#timeout = setTimeout(
      () => {
        // An immediate that nobody waits for would come only once the loop wakes for something else.
        if (this.#awaited) this.#turn = setImmediate(callback);
        else callback();
      },
      Math.min(ms, LONGEST),
    );
  }

  clear(): void {
    clearTimeout(this.#timeout);
    clearImmediate(this.#turn);
  }

  /** A process that has nothing else to do does not wait for it. */
  unref(): void {
    this.#awaited = false;
    this.#timeout.unref();
  }
}
