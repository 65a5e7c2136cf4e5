import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LogEntries, LogEntry } from './LogEntry.ts';

/** Bytes of a waiting turn that stay in memory; the rest goes to a file. */
const IN_MEMORY = 256 * 1024;

const KINDS: readonly LogEntry['kind'][] = ['own', 'result', 'finding', 'conclusion', 'stdout', 'stderr'];
/** A byte for the kind, four for the length. */
const HEAD = 5;

/**
 * Brings what several speak at once into the order of their turns: whoever's turn it is, is heard at once, and what
 * the others say waits, on disk where it is much.
 */
export class Turns {
  readonly #to: LogEntries;
  readonly #turns: Turn[] = [];
  #head = 0;

  constructor(to: LogEntries) {
    this.#to = to;
  }

  /** The next turn; to be ended whatever happens. */
  take(): Turn {
    const turn = new Turn(this.#to, () => this.#advance());
    this.#turns.push(turn);
    this.#advance();
    return turn;
  }

  /** Waits until all turns have been heard to their ends. @throws what kept one from being heard */
  async heard(): Promise<void> {
    for (const turn of this.#turns) await turn.heard;
    const failed = this.#turns.find(({ failure }) => failure !== null);
    if (failed !== undefined) throw failed.failure;
  }

  #advance(): void {
    for (let turn = this.#turns[this.#head]; turn !== undefined; turn = this.#turns[this.#head]) {
      turn.begin();
      if (!turn.over) return;
      this.#head += 1;
    }
  }
}

/** One turn: its entries in their order. */
export class Turn implements LogEntries {
  /** Resolves when it has ended and all of it has been put on; never rejects. */
  readonly heard: Promise<void>;
  readonly #to: LogEntries;
  readonly #onOver: () => void;
  readonly #waiting = new Spool();
  #state: 'waiting' | 'catching-up' | 'live' = 'waiting';
  #ended = false;
  #failure: unknown = null;
  #hear: () => void = () => {};

  constructor(to: LogEntries, onOver: () => void) {
    this.#to = to;
    this.#onOver = onOver;
    this.heard = new Promise((resolve) => {
      this.#hear = resolve;
    });
  }

  /** What went wrong while it was kept or put on, as on a full disk; from then on it is not. */
  get failure(): unknown {
    return this.#failure;
  }

  async put(entry: LogEntry): Promise<void> {
    if (this.#failure === null) {
      if (this.#state === 'live') return await this.#to.put(entry);
      this.#keep(entry);
    }
    // The runner's own lines must not keep the run from its end.
    if (this.#failure !== null && (entry.kind === 'stdout' || entry.kind === 'stderr')) throw this.#failure;
  }

  /** No more entries will come. */
  end(): void {
    this.#ended = true;
    if (!this.over) return;
    this.#hear();
    this.#onOver();
  }

  /** Whether it has ended and was heard. */
  get over(): boolean {
    return this.#ended && this.#state === 'live';
  }

  /** It is its turn. */
  begin(): void {
    if (this.#state !== 'waiting') return;
    if (!this.#waiting.empty) {
      this.#state = 'catching-up';
      void this.#catchUp();
      return;
    }
    this.#state = 'live';
    if (this.#ended) this.#hear();
  }

  async #catchUp(): Promise<void> {
    try {
      for (let entry = this.#waiting.next(); entry !== null; entry = this.#waiting.next()) await this.#to.put(entry);
    } catch (error) {
      this.#failure = error;
    }
    this.#waiting.close();
    this.#state = 'live';
    if (!this.#ended) return;
    this.#hear();
    this.#onOver();
  }

  #keep(entry: LogEntry): void {
    try {
      this.#waiting.add(entry);
    } catch (error) {
      this.#failure = error;
    }
  }
}

/** Entries in their order: the first in memory, and, where they are many, all from then on in a file without a name. */
class Spool {
  #memory: LogEntry[] = [];
  #bytes = 0;
  #fd: number | null = null;
  #written = 0;
  #read = 0;

  get empty(): boolean {
    return this.#memory.length === 0 && this.#read === this.#written;
  }

  add({ kind, bytes }: LogEntry): void {
    if (this.#fd === null && this.#bytes + bytes.length <= IN_MEMORY) {
      this.#memory.push({ kind, bytes: Buffer.from(bytes) });
      this.#bytes += bytes.length;
      return;
    }
    this.#fd ??= openNameless();
    const head = Buffer.alloc(HEAD);
    head.writeUInt8(KINDS.indexOf(kind), 0);
    head.writeUInt32BE(bytes.length, 1);
    for (const part of [head, bytes]) {
      for (let done = 0; done < part.length; ) {
        const count = writeSync(this.#fd, part, done, part.length - done, this.#written);
        done += count;
        this.#written += count;
      }
    }
  }

  next(): LogEntry | null {
    const first = this.#memory.shift();
    if (first !== undefined) return first;
    if (this.#fd === null || this.#read === this.#written) return null;
    const head = this.#take(this.#fd, HEAD);
    return { kind: KINDS[head.readUInt8(0)] ?? 'own', bytes: this.#take(this.#fd, head.readUInt32BE(1)) };
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
    this.#written = 0;
    this.#read = 0;
  }

  #take(fd: number, size: number): Buffer {
    const bytes = Buffer.alloc(size);
    for (let done = 0; done < size; ) {
      const count = readSync(fd, bytes, done, size - done, this.#read);
      if (count === 0) throw new Error('what a test printed is gone from the disk');
      done += count;
      this.#read += count;
    }
    return bytes;
  }
}

/** A file that goes away with its descriptor, whatever ends the process. */
function openNameless(): number {
  const directory = mkdtempSync(path.join(tmpdir(), 'trundle-waiting-'));
  try {
    return openSync(path.join(directory, 'output'), 'wx+', 0o600);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
