import { closeSync, openSync } from 'node:fs';
import { streamFile, writeAll } from './files.ts';
import type { Redactor } from './redactor.ts';
import type { StreamRedactor } from './StreamRedactor.ts';

interface Stream {
  readonly file: string;
  readonly redactor: StreamRedactor;
  pending: Uint8Array[];
  /** Bytes that are in the file or pending. */
  kept: number;
}

/** Told when a file cannot be written. */
export type WriteFailed = (file: string, error: unknown) => void;

/** The byte streams of a trace. Files are opened for each batch: a run may have thousands of streams. */
export class Streams {
  readonly #directory: string;
  readonly #limit: number;
  readonly #redactor: Redactor;
  readonly #failed: WriteFailed;
  readonly #streams = new Map<string, Stream>();
  readonly #dirty = new Set<Stream>();
  /** Held for when the process has no other left: what it did until then is worth being known. */
  #spare: number | null = null;
  #pending = 0;

  constructor(directory: string, limit: number, redactor: Redactor, failed: WriteFailed) {
    this.#directory = directory;
    this.#limit = limit;
    this.#redactor = redactor;
    this.#failed = failed;
    this.#hold();
  }

  /** Bytes that wait to be written. */
  get pending(): number {
    return this.#pending;
  }

  /** Returns false where the stream is at its limit; what still fits is kept. */
  append(name: string, chunk: Uint8Array): boolean {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = { file: streamFile(this.#directory, name), redactor: this.#redactor.stream(), pending: [], kept: 0 };
      this.#streams.set(name, stream);
    }
    if (stream.kept >= this.#limit && chunk.length > 0) return false;
    return this.#keep(stream, stream.redactor.write(chunk));
  }

  flush(): void {
    for (const stream of this.#dirty) {
      const bytes = stream.pending.length === 1 ? (stream.pending[0] as Uint8Array) : Buffer.concat(stream.pending);
      stream.pending = [];
      try {
        const fd = this.#open(stream.file);
        try {
          writeAll(fd, bytes);
        } finally {
          closeSync(fd);
          if (this.#spare === null) this.#hold();
        }
      } catch (error) {
        this.#failed(stream.file, error);
        break;
      }
    }
    this.#dirty.clear();
    this.#pending = 0;
  }

  #open(file: string): number {
    try {
      return openSync(file, 'a', 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EMFILE' || this.#spare === null) throw error;
      this.release();
      return openSync(file, 'a', 0o600);
    }
  }

  #hold(): void {
    try {
      this.#spare = openSync('/dev/null', 'r');
    } catch {
      // Then there is none.
    }
  }

  /** Lets go of what it holds: nothing more will be written. */
  release(): void {
    if (this.#spare !== null) closeSync(this.#spare);
    this.#spare = null;
  }

  /** Gives out what was held back as the possible start of a secret. */
  end(): void {
    for (const stream of this.#streams.values()) this.#keep(stream, stream.redactor.end());
  }

  #keep(stream: Stream, bytes: Uint8Array): boolean {
    const room = this.#limit - stream.kept;
    const fitting = bytes.length > room ? bytes.subarray(0, room) : bytes;
    if (fitting.length > 0) {
      // A copy: the chunk belongs to whoever gave it to us.
      stream.pending.push(Uint8Array.prototype.slice.call(fitting));
      stream.kept += fitting.length;
      this.#pending += fitting.length;
      this.#dirty.add(stream);
    }
    return fitting.length === bytes.length;
  }
}
