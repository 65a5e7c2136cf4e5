import { type Clock, systemClock } from '../../../../src/events/index.ts';

/** What this clock takes for no time at all. */
export const NO_TIME = 1;

/** The machine's clock, on which {@link NO_TIME} is over before whatever is begun with it has got anywhere. */
export const hasty: Clock = {
  ...systemClock,
  after: (ms, callback) => (ms === NO_TIME ? new AtOnce(callback) : systemClock.after(ms, callback)),
};

class AtOnce {
  #awaited = true;

  constructor(callback: () => void) {
    queueMicrotask(() => {
      if (this.#awaited) callback();
    });
  }

  clear(): void {
    this.#awaited = false;
  }
}
