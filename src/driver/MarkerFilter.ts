import { markerOf, type OutputStream } from './launchLine.ts';

/** Bytes in which the marker must have come; what a login shell's rc files print stands before it. */
const MOST = 64 * 1024;

/** What the marker told. */
export interface Marker {
  /** Process id of the command, and of its process group. */
  readonly pid: number;
  /** Processes that start-up files of the login shell had left running before the command. */
  readonly jobs: readonly number[];
  /** Path of the login shell. */
  readonly shell: string;
  /** What was printed before it. */
  readonly noise: string;
}

/** Takes the launch line's marker, and what comes before it, out of what a command prints on a stream. */
export class MarkerFilter {
  readonly #pattern: RegExp;
  #held: Buffer | null = Buffer.alloc(0);

  constructor(nonce: string, stream: OutputStream) {
    this.#pattern = new RegExp(`${markerOf(nonce, stream)}(\\d+):([\\d ]*):([^\\r\\n]*)\\r?\\n`);
  }

  /** Whether the marker is still to come. */
  get waiting(): boolean {
    return this.#held !== null;
  }

  /** Gives bytes in; tells the marker once it is there, and what of the bytes is the command's own. */
  write(chunk: Buffer): { marker: Marker | null; rest: Buffer } {
    if (this.#held === null) return { marker: null, rest: chunk };
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const found = this.#pattern.exec(this.#held.toString('latin1'));
    if (found === null) {
      const rest = this.#held.length > MOST ? this.giveUp() : Buffer.alloc(0);
      return { marker: null, rest };
    }
    const rest = this.#held.subarray(found.index + found[0].length);
    this.#held = null;
    const noise = found.input.slice(0, found.index);
    const jobs = (found[2] ?? '').split(' ').filter(Boolean).map(Number);
    return { marker: { pid: Number(found[1]), jobs, shell: found[3] ?? '', noise }, rest };
  }

  /** No marker will come: what was held back is the command's own after all. */
  giveUp(): Buffer {
    const held = this.#held ?? Buffer.alloc(0);
    this.#held = null;
    return held;
  }
}
