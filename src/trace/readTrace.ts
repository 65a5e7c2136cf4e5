import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { headerProblem, isObject } from './checkLine.ts';
import { TRACE_VERSION, type TraceHeader, type TraceLine } from './contract.ts';
import { EVENTS_FILE, errnoOf, messageOf, streamFile } from './files.ts';
import { LineParser, type Validator } from './LineParser.ts';
import { lineBlocks } from './lineBlocks.ts';
import { TraceError } from './TraceError.ts';
import type { Upgrade } from './versions/contract.ts';
import { upgradeFrom } from './versions/index.ts';

/** How to read a trace. */
export interface ReadOptions {
  /** Check the data of every event against its schema (default false: only the shape and the order are checked). */
  validate?: boolean;
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
  /** Set when a reading came to the end. */
  readonly end: TraceEnd | null;
  /** The lines after the header, in order; each call reads anew. @throws TraceError */
  lines(): AsyncGenerator<TraceLine, TraceEnd>;
  /** The same in batches, for those in a hurry. @throws TraceError after all that could be read */
  batches(): AsyncGenerator<readonly TraceLine[], TraceEnd>;
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
    return await openedTrace(file, handle, options.validate ?? false);
  } finally {
    await handle.close();
  }
}

async function openedTrace(file: string, handle: FileHandle, validate: boolean): Promise<Trace> {
  const { header, bytes, upgrade } = await readHeader(file, handle);
  const directory = dirname(file);
  let end: TraceEnd | null = null;
  async function* batches(): AsyncGenerator<readonly TraceLine[], TraceEnd> {
    const validator = validate ? await loadValidator() : null;
    end = yield* readBatches(file, bytes, upgrade, validator);
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
    get end() {
      return end;
    },
    batches,
    lines,
    streamFile: (stream) => streamFile(directory, stream),
  };
}

async function* readBatches(
  file: string,
  from: number,
  upgrade: Upgrade | null,
  validator: Validator | null,
): AsyncGenerator<readonly TraceLine[], TraceEnd> {
  const handle = await openTrace(file);
  try {
    const parser = new LineParser(file, from, upgrade?.lines() ?? null, validator);
    const blocks = lineBlocks(handle, from);
    for (;;) {
      const step = await blocks.next();
      if (step.done === true) {
        if (step.value.tooLong) throw parser.error('damaged', 'a line longer than any that a trace has');
        return parser.end(step.value.bytes > 0);
      }
      const { lines, error } = parser.parse(step.value);
      if (lines.length > 0) yield lines;
      if (error !== null) throw error;
    }
  } catch (error) {
    throw error instanceof TraceError
      ? error
      : new TraceError('inaccessible', file, `it cannot be read: ${messageOf(error)}`, { cause: error });
  } finally {
    await handle.close();
  }
}

async function readHeader(
  file: string,
  handle: FileHandle,
): Promise<{ header: TraceHeader; bytes: number; upgrade: Upgrade | null }> {
  const place = { line: 1, offset: 0, lastSeq: 0 };
  const first = await firstLine(file, handle);
  let value: unknown;
  try {
    value = JSON.parse(first.toString('utf8'));
  } catch {
    throw new TraceError('not-a-trace', file, 'not a trace: the first line is no JSON', { place });
  }
  if (!isObject(value) || !('trundle' in value) || !Number.isSafeInteger(value.format) || Number(value.format) < 1) {
    throw new TraceError('not-a-trace', file, 'not a trace: the first line is not the header of one', { place });
  }
  const format = Number(value.format);
  if (format > TRACE_VERSION) {
    throw new TraceError(
      'future',
      file,
      `written by Trundle ${String(value.trundle)} in format ${format}; this one reads formats up to ${TRACE_VERSION}: use that version or a later one`,
      { place },
    );
  }
  const upgrade = upgradeFrom(format);
  const header = upgrade === null ? value : upgrade.header(value);
  const problem = headerProblem(header);
  if (problem !== null) throw new TraceError('not-a-trace', file, `not a trace: ${problem}`, { place });
  return { header: header as unknown as TraceHeader, bytes: first.length + 1, upgrade };
}

/** The first line without its newline. */
async function firstLine(file: string, handle: FileHandle): Promise<Buffer> {
  try {
    const blocks = lineBlocks(handle, 0);
    const step = await blocks.next();
    await blocks.return({ bytes: 0, tooLong: false });
    if (step.done !== true) return step.value.bytes.subarray(0, step.value.bytes.indexOf(0x0a));
    if (step.value.tooLong) throw new TraceError('not-a-trace', file, 'not a trace: it has no lines');
    if (step.value.bytes === 0) throw new TraceError('empty', file, 'the file is empty; nothing was recorded');
  } catch (error) {
    throw error instanceof TraceError
      ? error
      : new TraceError('inaccessible', file, `it cannot be read: ${messageOf(error)}`, { cause: error });
  }
  throw new TraceError(
    'no-header',
    file,
    'the first line has no end: not a trace, or its writer was killed in the first moment; nothing can be read',
  );
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
