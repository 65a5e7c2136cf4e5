const NEWLINE = 10;

/** Puts the seconds since the start before each line, as in autopkgtest's log: ` 12s text`. Keeps nothing but whether a line is open. */
export class ElapsedLines {
  readonly #seconds: () => number;
  #lineOpen = false;

  /** @param seconds whole seconds since the start of the log */
  constructor(seconds: () => number) {
    this.#seconds = seconds;
  }

  /** Whether the last byte was not a newline. */
  get lineOpen(): boolean {
    return this.#lineOpen;
  }

  /** The chunk with its prefixes. */
  add(chunk: Uint8Array): Buffer {
    if (chunk.length === 0) return Buffer.alloc(0);
    const prefix = Buffer.from(`${String(this.#seconds()).padStart(3)}s `);
    const starts = lineStarts(chunk, this.#lineOpen);
    const out = Buffer.allocUnsafe(chunk.length + starts.length * prefix.length);
    let written = 0;
    let from = 0;
    for (const start of starts) {
      if (start > from) {
        out.set(chunk.subarray(from, start), written);
        written += start - from;
      }
      out.set(prefix, written);
      written += prefix.length;
      from = start;
    }
    out.set(chunk.subarray(from), written);
    this.#lineOpen = chunk[chunk.length - 1] !== NEWLINE;
    return out;
  }
}

function lineStarts(chunk: Uint8Array, lineOpen: boolean): number[] {
  const starts = lineOpen ? [] : [0];
  for (let at = chunk.indexOf(NEWLINE); at !== -1 && at + 1 < chunk.length; at = chunk.indexOf(NEWLINE, at + 1))
    starts.push(at + 1);
  return starts;
}
