import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TraceHeader, TraceLine } from './contract.ts';
import { EVENTS_FILE, errnoOf, messageOf, streamFile } from './files.ts';
import { LineParser, type Validator } from './LineParser.ts';
import { lineBlocks } from './lineBlocks.ts';
import { readHeader } from './readHeader.ts';
import { TraceError } from './TraceError.ts';

/** How to read a trace. */
export interface ReadOptions {
  /** Check the data of every event against its schema (default false: only the shape and the order are checked). */
  validate?: boolean;
  /**
   * Leave out what cannot be read and go on behind it (default false: throw there). `Trace.damage` tells what and where;
   * each batch ends there.
   */
  skip?: boolean;
}

/** What was found when a trace had been read to its end. */
export interface TraceEnd {
  /** The last line has no end: its writer was killed, or is still writing. It is left out. */
  truncated: boolean;
  events: number;
  decisions: number;
  /** Sequence number of the last event; 0 where there is none. */
  lastSeq: number;
  /** Bytes of whole lines, the header included. */
  bytes: number;
}

/** A trace on disk. */
export interface Trace {
  readonly directory: string;
  /** Its file of events. */
  readonly file: string;
  readonly header: TraceHeader;
  /** Readings leave out what is damaged. */
  readonly skips: boolean;
  /** Set when a reading came to the end. */
  readonly end: TraceEnd | null;
  /** What the last reading left out, as far as it has come; the first {@link MOST_DAMAGE} of it. */
  readonly damage: readonly TraceError[];
  /** The lines after the header, in order; each call reads anew. @throws TraceError */
  lines(): AsyncGenerator<TraceLine, TraceEnd>;
  /** The same in batches, for those in a hurry. @throws TraceError after all that could be read */
  batches(how?: { validate?: boolean }): AsyncGenerator<readonly TraceLine[], TraceEnd>;
  /** The file with a stream's bytes; absent where nothing was printed. */
  streamFile(stream: string): string;
}

/**
 * Opens a trace, given its directory or its file of events, and reads its header.
 * @throws TraceError saying what is wrong and where
 */
export async function readTrace(path: string, options: ReadOptions = {}): Promise<Trace> {
  const file = await eventsFile(path);
  const handle = await openTrace(file);
  try {
    return await openedTrace(file, handle, options);
  } finally {
    await handle.close();
  }
}

/** Places of damage that are told; more of them say nothing new. */
export const MOST_DAMAGE = 20;

async function openedTrace(file: string, handle: FileHandle, options: ReadOptions): Promise<Trace> {
  const { skip = false } = options;
  const { header, bytes, upgrade, problem } = await readHeader(file, handle, skip);
  const directory = dirname(file);
  let end: TraceEnd | null = null;
  let damage: TraceError[] = [];
  async function* batches({
    validate = options.validate ?? false,
  } = {}): AsyncGenerator<readonly TraceLine[], TraceEnd> {
    const found = problem === null ? [] : [problem];
    damage = found;
    // What another version wrote is taken only where it is what this one would have written.
    const validator = validate || problem !== null ? await loadValidator() : null;
    const parser = new LineParser(file, bytes, upgrade?.lines() ?? null, validator, problem === null ? 0 : 1);
    end = yield* readBatches(file, bytes, parser, (error) => {
      if (!skip) throw error;
      if (found.length < MOST_DAMAGE) found.push(error);
    });
    return end;
  }
  async function* lines(): AsyncGenerator<TraceLine, TraceEnd> {
    const reading = batches();
    for (;;) {
      const step = await reading.next();
      if (step.done === true) return step.value;
      yield* step.value;
    }
  }
  return {
    directory,
    file,
    header,
    skips: skip,
    get end() {
      return end;
    },
    get damage() {
      return damage;
    },
    batches,
    lines,
    streamFile: (stream) => streamFile(directory, stream),
  };
}

async function* readBatches(
  file: string,
  from: number,
  parser: LineParser,
  leaveOut: (error: TraceError) => void,
): AsyncGenerator<readonly TraceLine[], TraceEnd> {
  const handle = await openTrace(file);
  try {
    const blocks = lineBlocks(handle, from);
    for (;;) {
      const step = await blocks.next();
      if (step.done === true) {
        if (step.value.tooLong) leaveOut(parser.error('damaged', 'a line longer than any that a trace has'));
        return parser.end(step.value.bytes > 0);
      }
      for (let { bytes } = step.value; bytes.length > 0; ) {
        const { lines, error, follows } = parser.parse(bytes);
        if (lines.length > 0) yield lines;
        if (error === null) break;
        if (!follows) leaveOut(error);
        bytes = parser.skip(bytes, lines.length);
      }
    }
  } catch (error) {
    throw error instanceof TraceError
      ? error
      : new TraceError('inaccessible', file, `it cannot be read: ${messageOf(error)}`, { cause: error });
  } finally {
    await handle.close();
  }
}

async function eventsFile(path: string): Promise<string> {
  try {
    return (await stat(path)).isDirectory() ? join(path, EVENTS_FILE) : path;
  } catch (error) {
    throw inaccessible(path, error);
  }
}

async function openTrace(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    throw inaccessible(file, error);
  }
}

function inaccessible(path: string, error: unknown): TraceError {
  const problem = errnoOf(error) === 'ENOENT' ? 'there is no trace here' : `it cannot be opened: ${messageOf(error)}`;
  return new TraceError('inaccessible', path, problem, { cause: error });
}

/** The schemas take long to load, and most readings do without. */
async function loadValidator(): Promise<Validator> {
  const { BadEventError, parseEvent } = await import('../events/parseEvent.ts');
  return (value) => {
    try {
      parseEvent(value);
      return null;
    } catch (error) {
      if (error instanceof BadEventError) return error.message;
      throw error;
    }
  };
}
