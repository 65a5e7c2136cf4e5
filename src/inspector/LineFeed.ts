import type { Source } from './TraceSource.ts';

/** Lines that come from this process itself: each page gets all of them from the first one on. */
export class LineFeed implements Source {
  readonly #lines: string[] = [];
  readonly #wakes = new Set<() => void>();
  #ended = false;

  add(line: object): void {
    this.#lines.push(`${JSON.stringify(line)}\n`);
    this.#wake();
  }

  /** Nothing more will come. */
  end(): void {
    this.add({ i: 'end', problem: null });
    this.#ended = true;
    this.#wake();
  }

  async *lines(signal: AbortSignal): AsyncGenerator<string> {
    let next = 0;
    const wakeUp = () => this.#wake();
    signal.addEventListener('abort', wakeUp, { once: true });
    try {
      while (!signal.aborted) {
        if (next < this.#lines.length) {
          const block = this.#lines.slice(next).join('');
          next = this.#lines.length;
          yield block;
        } else if (this.#ended) return;
        else await new Promise<void>((resolve) => this.#wakes.add(resolve));
      }
    } finally {
      signal.removeEventListener('abort', wakeUp);
    }
  }

  bytes(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array());
  }

  #wake(): void {
    const waiting = [...this.#wakes];
    this.#wakes.clear();
    for (const wake of waiting) wake();
  }
}
