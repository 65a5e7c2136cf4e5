import { mergeSpans, REDACTED, type Span } from './spans.ts';

const MARK = Buffer.from(REDACTED);
const NOTHING = Buffer.alloc(0);

/** The secrets in all their forms; more may come while a stream is under way. */
export interface Secrets {
  readonly active: boolean;
  readonly forms: readonly Buffer[];
}

/**
 * Takes secrets out of a byte stream that comes in chunks of any size. What may be the start of a secret is held
 * back, at most the longest secret less one byte, until more bytes or the end tell.
 */
export class StreamRedactor {
  readonly #secrets: Secrets;
  #held: Buffer = NOTHING;
  /** So many of the held bytes belong to a secret whose mark is already written. */
  #covered = 0;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** The bytes that may be written now. */
  write(chunk: Uint8Array): Uint8Array {
    if (!this.#secrets.active) return chunk;
    const bytes = this.#held.length === 0 ? asBuffer(chunk) : Buffer.concat([this.#held, chunk]);
    return this.#take(bytes, this.#beginning(bytes));
  }

  /** What was held back: the stream ended, so it is no secret. */
  end(): Uint8Array {
    return this.#take(this.#held, this.#held.length);
  }

  /** Everything before `hold`, cleaned; the rest is kept. */
  #take(bytes: Buffer, hold: number): Uint8Array {
    const spans: Span[] = this.#covered > 0 ? [[0, this.#covered]] : [];
    for (const secret of this.#secrets.forms) {
      for (let at = bytes.indexOf(secret); at !== -1; at = bytes.indexOf(secret, at + 1))
        spans.push([at, at + secret.length]);
    }
    const parts: Uint8Array[] = [];
    let end = 0;
    let covered = 0;
    for (const [from, to] of mergeSpans(spans)) {
      if (from >= hold && !(from === 0 && this.#covered > 0)) break;
      if (from > end) parts.push(bytes.subarray(end, from));
      if (from > 0 || this.#covered === 0) parts.push(MARK);
      end = Math.min(to, hold);
      covered = Math.max(0, to - hold);
    }
    if (end < hold) parts.push(bytes.subarray(end, hold));
    // A copy: the chunk belongs to whoever gave it to us.
    this.#held = hold < bytes.length ? Buffer.from(bytes.subarray(hold)) : NOTHING;
    this.#covered = covered;
    if (parts.length === 1) return parts[0] as Uint8Array;
    return parts.length === 0 ? NOTHING : Buffer.concat(parts);
  }

  /** Where the longest end of the bytes begins that may be the beginning of a secret. */
  #beginning(bytes: Buffer): number {
    let earliest = bytes.length;
    for (const secret of this.#secrets.forms) {
      const first = secret[0] as number;
      let at = bytes.indexOf(first, Math.max(0, bytes.length - secret.length + 1));
      while (at !== -1 && at < earliest) {
        if (bytes.compare(secret, 0, bytes.length - at, at) === 0) {
          earliest = at;
          break;
        }
        at = bytes.indexOf(first, at + 1);
      }
    }
    return earliest;
  }
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
