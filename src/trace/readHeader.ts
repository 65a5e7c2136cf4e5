import type { FileHandle } from 'node:fs/promises';
import { headerProblem, isObject } from './checkLine.ts';
import { TRACE_VERSION, type TraceHeader } from './contract.ts';
import { messageOf } from './files.ts';
import { lineBlocks } from './lineBlocks.ts';
import { TraceError } from './TraceError.ts';
import type { JsonObject, Upgrade } from './versions/contract.ts';
import { upgradeFrom } from './versions/index.ts';

/** The header of a trace, and what follows from it. */
export interface HeaderRead {
  header: TraceHeader;
  /** Where the lines after it begin. */
  bytes: number;
  upgrade: Upgrade | null;
  /** Why it is not the header of a trace that this version knows, where that may be. */
  problem: TraceError | null;
}

/**
 * Reads the header; with `skip` makes one where there is none that can be taken, but events of a run.
 * @throws TraceError
 */
export async function readHeader(file: string, handle: FileHandle, skip: boolean): Promise<HeaderRead> {
  const first = await firstLine(file, handle);
  const bytes = first.length + 1;
  try {
    return { ...checkedHeader(file, first), bytes, problem: null };
  } catch (error) {
    if (!skip || !(error instanceof TraceError)) throw error;
    const header = await guessedHeader(handle, first);
    if (header === null) throw error;
    return { header, bytes, upgrade: null, problem: error };
  }
}

function checkedHeader(file: string, first: Buffer): { header: TraceHeader; upgrade: Upgrade | null } {
  const place = { line: 1, offset: 0, lastSeq: 0 };
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
  return { header: header as unknown as TraceHeader, upgrade };
}

/** What can be known of a run whose header cannot be taken: null where no event of a run follows. */
async function guessedHeader(handle: FileHandle, first: Buffer): Promise<TraceHeader | null> {
  const blocks = lineBlocks(handle, first.length + 1);
  const step = await blocks.next();
  await blocks.return({ bytes: 0, tooLong: false });
  if (step.done === true) return null;
  const event = step.value.bytes
    .toString('utf8')
    .split('\n')
    .map(objectIn)
    .find(({ seq, type, run }) => Number.isSafeInteger(seq) && typeof type === 'string' && typeof run === 'string');
  if (event === undefined) return null;
  const { trundle, started } = objectIn(first.toString('utf8'));
  return {
    trundle: typeof trundle === 'string' ? trundle : 'unknown',
    format: TRACE_VERSION,
    run: String(event.run),
    started: typeof started === 'string' && !Number.isNaN(Date.parse(started)) ? started : new Date(0).toISOString(),
    owner: { pid: 0, startTime: 0, host: 'unknown' },
    system: null,
  };
}

/** The object that a line holds; an empty one where it holds none. */
function objectIn(line: string): JsonObject {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
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
