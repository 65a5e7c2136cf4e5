/**
 * Work that is begun before its turn. Whose turn it is waits for it with a deadline of its own; until then what becomes
 * of it is kept.
 */
export class Ahead<T> {
  readonly #abort = new AbortController();
  readonly #done: Promise<T>;

  /** @param work begun at once; must settle soon once its signal is aborted */
  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#done = work(this.#abort.signal);
    // Who waits for it is told; nobody may.
    this.#done.catch(() => {});
  }

  /** What it comes to. Aborting the signal aborts the work. @throws what the work threw */
  async wait(signal: AbortSignal): Promise<T> {
    const abort = () => this.#abort.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await this.#done;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Aborts it. Resolves, once it has settled, to what it had come to by then; null where that is nothing. */
  async cancel(): Promise<T | null> {
    this.#abort.abort();
    return await this.#done.catch(() => null);
  }
}
