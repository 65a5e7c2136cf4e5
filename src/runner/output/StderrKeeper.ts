import { StringDecoder } from 'node:string_decoder';

/** Bytes of stderr that are kept to be shown again after the result. */
const KEPT = 65_536;

/** Follows a test's stderr: how much there was, its first line, and its beginning. Memory is bounded. */
export class StderrKeeper {
  #bytes = 0;
  readonly #kept: Buffer[] = [];

  add(chunk: Uint8Array): void {
    const room = KEPT - Math.min(this.#bytes, KEPT);
    if (room > 0) this.#kept.push(Buffer.from(chunk.subarray(0, room)));
    this.#bytes += chunk.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The beginning; at most 64 KiB. */
  get beginning(): Buffer {
    return Buffer.concat(this.#kept);
  }

  /** How many bytes came after the beginning. */
  get beyond(): number {
    return Math.max(0, this.#bytes - KEPT);
  }

  /** The first line without trailing white space; what is not UTF-8 shows as U+FFFD. */
  get firstLine(): string {
    const beginning = this.beginning;
    const end = beginning.indexOf('\n');
    return new StringDecoder('utf8')
      .write(end === -1 ? beginning : beginning.subarray(0, end))
      .replace(/[ \t\r\n]+$/, '');
  }
}
