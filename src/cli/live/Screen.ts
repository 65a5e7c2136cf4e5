import { fstatSync } from 'node:fs';
import { Writable } from 'node:stream';

/** One of the process's own output streams, or a stand-in for one. */
export interface Output extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly fd?: number;
}

/** Return to the first column and take away what is to the right. */
const ERASE = '\r\u001b[K';
const NEWLINE = 0x0a;

/**
 * The two output streams, with a status line that stays below whatever is written to them. Each write takes the
 * status line away, writes, and draws it again in one piece, so that nothing flickers; while a line is unfinished
 * there is no status line, since it would have to stand in it.
 */
export class Screen {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Whether there is a terminal for a status line. */
  readonly live: boolean;
  readonly #err: Output;
  #status = '';
  #drawn = '';
  #lineOpen = false;
  #suspended = false;

  /** @param live draws a status line where stderr is a terminal that can; else both streams are passed through */
  constructor(stdout: Output, stderr: Output, live: boolean) {
    this.#err = stderr;
    this.live = live && stderr.isTTY === true;
    const shared = this.live && stdout.isTTY === true && sameTerminal(stdout, stderr);
    this.stdout = this.#wrap(stdout, shared);
    this.stderr = this.#wrap(stderr, this.live);
  }

  /** How many characters a status line may have. */
  get width(): number {
    // Less than a line: a line that is full may wrap. Some terminals tell no size, or none that is true.
    return Math.max(1, (this.#err.columns || 80) - 1);
  }

  /** Shows this status line from now on; an empty one is none. */
  status(text: string): void {
    this.#status = text;
    if (this.live) this.#redraw();
  }

  /** Leaves the terminal to others, as to a shell. */
  suspend(): void {
    this.#suspended = true;
    this.#redraw();
  }

  resume(): void {
    this.#suspended = false;
    this.#lineOpen = false;
    this.#redraw();
  }

  get #wanted(): string {
    return this.#suspended || this.#lineOpen ? '' : this.#status;
  }

  #redraw(): void {
    const wanted = this.#wanted;
    if (wanted === this.#drawn) return;
    this.#err.write(wanted === '' ? ERASE : `\r${wanted}\u001b[K`);
    this.#drawn = wanted;
  }

  #wrap(target: Output, watched: boolean): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        // What is written to a terminal is there when write returns: the next write, to either stream, comes after it.
        if (target.destroyed || target.writableEnded || target.write(watched ? this.#around(chunk) : chunk)) done();
        else whenRoom(target, done);
      },
    });
  }

  #around(chunk: Buffer): Buffer {
    const before = this.#drawn === '' ? '' : ERASE;
    if (chunk.length > 0) this.#lineOpen = chunk[chunk.length - 1] !== NEWLINE;
    this.#drawn = this.#wanted;
    return Buffer.concat([Buffer.from(before), chunk, Buffer.from(this.#drawn)]);
  }
}

/** Whoever reads may leave; that is for the process to answer, not for who writes. */
function whenRoom(target: Output, done: () => void): void {
  const once = () => {
    for (const event of ['drain', 'close', 'error']) target.off(event, once);
    done();
  };
  for (const event of ['drain', 'close', 'error']) target.on(event, once);
}

function sameTerminal(one: Output, other: Output): boolean {
  if (one.fd === undefined || other.fd === undefined) return one === other;
  return fstatSync(one.fd).rdev === fstatSync(other.fd).rdev;
}
