import { isUtf8 } from 'node:buffer';
import { decisionProblem, eventProblem, isObject } from './checkLine.ts';
import type { TraceLine } from './contract.ts';
import { messageOf } from './files.ts';
import type { TraceEnd } from './readTrace.ts';
import { TraceError, type TraceErrorCode } from './TraceError.ts';
import type { LineUpgrade } from './versions/contract.ts';

/** What is wrong with an event's data, or null. */
export type Validator = (value: unknown) => string | null;

/** A line that cannot be taken; only within this file. */
class LineProblem extends Error {
  readonly code: TraceErrorCode;
  /** Follows from a line before it that was left out. */
  readonly follows: boolean;
  constructor(code: TraceErrorCode, message: string, follows = false) {
    super(message);
    this.code = code;
    this.follows = follows;
  }
}

/** Makes lines of a trace out of blocks of bytes, and knows where in the file it is. */
export class LineParser {
  readonly #file: string;
  readonly #upgrade: LineUpgrade | null;
  readonly #validator: Validator | null;
  /** The line that comes next, and where it begins; the header is line 1. */
  #line = 2;
  #offset: number;
  #lastSeq = 0;
  #decisions = 0;
  #events = 0;
  /** Lines left out since the last event, and the seq of an event among them that came out of order. */
  #leftOut: number;
  #outOfOrder = 0;

  constructor(file: string, offset: number, upgrade: LineUpgrade | null, validator: Validator | null, leftOut: number) {
    this.#file = file;
    this.#offset = offset;
    this.#upgrade = upgrade;
    this.#validator = validator;
    this.#leftOut = leftOut;
  }

  /**
   * The whole lines of `bytes` up to the first that is wrong, and what is wrong with that; {@link skip} goes on. `follows`:
   * it is so only because of a line that was left out.
   */
  parse(bytes: Buffer): { lines: TraceLine[]; error: TraceError | null; follows: boolean } {
    const lines: TraceLine[] = [];
    const texts = bytes.toString('utf8').split('\n');
    texts.pop();
    // Bytes that are no UTF-8 would be read as replacement characters: find the line that has them.
    const bad = isUtf8(bytes) ? -1 : badLine(bytes);
    try {
      for (const text of texts) {
        if (lines.length === bad) throw new LineProblem('damaged', 'it holds bytes that are no UTF-8');
        lines.push(this.#read(text));
        this.#line++;
      }
    } catch (error) {
      if (!(error instanceof LineProblem)) throw error;
      this.#offset += startOfLine(bytes, lines.length);
      return { lines, error: this.error(error.code, error.message), follows: error.follows };
    }
    this.#offset += bytes.length;
    return { lines, error: null, follows: false };
  }

  /** Leaves out the line at which `parse` stopped, the first of `bytes` that it did not take. @returns what follows */
  skip(bytes: Buffer, taken: number): Buffer {
    const from = startOfLine(bytes, taken);
    const to = bytes.indexOf(0x0a, from) + 1;
    this.#line++;
    this.#leftOut++;
    this.#offset += to - from;
    return bytes.subarray(to);
  }

  /** An error at the line that comes next. */
  error(code: TraceErrorCode, problem: string): TraceError {
    const intact = this.#lastSeq === 0 ? 'no event can be read' : `events 1 to ${this.#lastSeq} before it can be read`;
    return new TraceError(code, this.#file, `${problem}; ${intact}`, {
      place: { line: this.#line, offset: this.#offset, lastSeq: this.#lastSeq },
    });
  }

  end(truncated: boolean): TraceEnd {
    return {
      truncated,
      events: this.#events,
      decisions: this.#decisions,
      lastSeq: this.#lastSeq,
      bytes: this.#offset,
    };
  }

  #read(text: string): TraceLine {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new LineProblem('damaged', `it is no JSON (${messageOf(error)})`);
    }
    if (!isObject(value)) throw new LineProblem('damaged', 'it is no JSON object');
    const line = this.#upgrade === null ? value : this.#upgrade(value);
    if ('d' in line) {
      const problem = decisionProblem(line, this.#lastSeq);
      if (problem !== null)
        throw new LineProblem('damaged', problem, this.#leftOut > 0 && Number(line.d) > this.#lastSeq);
      this.#decisions++;
      return line as unknown as TraceLine;
    }
    const problem = eventProblem(line) ?? this.#validator?.(line) ?? null;
    if (problem !== null) throw new LineProblem('damaged', problem);
    const seq = line.seq as number;
    if (!this.#follows(seq)) {
      this.#outOfOrder = seq;
      throw new LineProblem('gap', `event ${seq} where event ${this.#lastSeq + 1} should be`);
    }
    this.#lastSeq = seq;
    this.#leftOut = 0;
    this.#events++;
    return line as unknown as TraceLine;
  }

  /** Whether this is the next event. Where lines were left out, each may have been one or two, or a hole in the file. */
  #follows(seq: number): boolean {
    if (this.#leftOut === 0 || seq <= this.#lastSeq) return seq === this.#lastSeq + 1;
    return seq <= this.#lastSeq + 1 + 2 * this.#leftOut || seq === this.#outOfOrder + 1;
  }
}

/** Offset of the line with this index, from 0. */
function startOfLine(bytes: Buffer, index: number): number {
  let offset = 0;
  for (let line = 0; line < index; line++) offset = bytes.indexOf(0x0a, offset) + 1;
  return offset;
}

function badLine(bytes: Buffer): number {
  let line = 0;
  for (let offset = 0; ; line++) {
    const end = bytes.indexOf(0x0a, offset) + 1;
    if (!isUtf8(bytes.subarray(offset, end))) return line;
    offset = end;
  }
}
