import { isUtf8 } from 'node:buffer';
import { decisionProblem, eventProblem, isObject } from './checkLine.ts';
import type { TraceLine } from './contract.ts';
import { messageOf } from './files.ts';
import type { LineBlock } from './lineBlocks.ts';
import type { TraceEnd } from './readTrace.ts';
import { TraceError, type TraceErrorCode } from './TraceError.ts';
import type { LineUpgrade } from './versions/contract.ts';

/** What is wrong with an event's data, or null. */
export type Validator = (value: unknown) => string | null;

/** A line that cannot be taken; only within this file. */
class LineProblem extends Error {
  readonly code: TraceErrorCode;
  constructor(code: TraceErrorCode, message: string) {
    super(message);
    this.code = code;
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

  constructor(file: string, offset: number, upgrade: LineUpgrade | null, validator: Validator | null) {
    this.#file = file;
    this.#offset = offset;
    this.#upgrade = upgrade;
    this.#validator = validator;
  }

  /** The lines of a block up to the first that is wrong, and what is wrong with that. */
  parse(block: LineBlock): { lines: TraceLine[]; error: TraceError | null } {
    const lines: TraceLine[] = [];
    const texts = block.bytes.toString('utf8').split('\n');
    texts.pop();
    // Bytes that are no UTF-8 would be read as replacement characters: find the line that has them.
    const bad = isUtf8(block.bytes) ? -1 : badLine(block.bytes);
    try {
      for (const text of texts) {
        if (lines.length === bad) throw new LineProblem('damaged', 'it holds bytes that are no UTF-8');
        lines.push(this.#read(text));
        this.#line++;
      }
    } catch (error) {
      if (!(error instanceof LineProblem)) throw error;
      this.#offset += startOfLine(block.bytes, lines.length);
      return { lines, error: this.error(error.code, error.message) };
    }
    this.#offset += block.bytes.length;
    return { lines, error: null };
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
      events: this.#lastSeq,
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
      if (problem !== null) throw new LineProblem('damaged', problem);
      this.#decisions++;
      return line as unknown as TraceLine;
    }
    const problem = eventProblem(line) ?? this.#validator?.(line) ?? null;
    if (problem !== null) throw new LineProblem('damaged', problem);
    const seq = line.seq as number;
    if (seq !== this.#lastSeq + 1)
      throw new LineProblem('gap', `event ${seq} where event ${this.#lastSeq + 1} should be`);
    this.#lastSeq = seq;
    return line as unknown as TraceLine;
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
