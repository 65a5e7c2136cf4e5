/** What is wrong with a trace; see {@link TraceError}. */
export type TraceErrorCode =
  /** The directory already holds a trace; a trace is never written over. */
  | 'exists'
  /** The trace's files could not be made or read; `cause` holds the system's error. */
  | 'inaccessible'
  /** The file has no bytes. */
  | 'empty'
  /** The writer was killed before it had written the whole header. */
  | 'no-header'
  /** The first line is not the header of a trace. */
  | 'not-a-trace'
  /** A later Trundle wrote it, in a format that this one does not know. */
  | 'future'
  /** A line in the middle is not what the format says. */
  | 'damaged'
  /** An event is missing: the sequence numbers leave one out, or repeat one. */
  | 'gap';

/** Where in `events.jsonl` the trouble is, and what stands before it. */
export interface TracePlace {
  /** Number of the line, from 1; the header is line 1. */
  line: number;
  /** Offset of the line's first byte in the file. */
  offset: number;
  /** Sequence number of the last event that could be read; 0 where there was none. */
  lastSeq: number;
}

/** A trace cannot be made or read. The message says which file, where in it, and what could still be read. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
  readonly code: TraceErrorCode;
  readonly file: string;
  /** Null where the trouble is not at a line. */
  readonly place: TracePlace | null;
  constructor(
    code: TraceErrorCode,
    file: string,
    problem: string,
    options: { place?: TracePlace; cause?: unknown } = {},
  ) {
    const { place } = options;
    super(
      place === undefined ? `${file}: ${problem}` : `${file}, line ${place.line} (byte ${place.offset}): ${problem}`,
      {
        cause: options.cause,
      },
    );
    this.code = code;
    this.file = file;
    this.place = place ?? null;
  }
}
