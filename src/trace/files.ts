import { closeSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../host/index.ts';
import { TraceError } from './TraceError.ts';

/** Name of the file of events in a trace's directory. */
export const EVENTS_FILE = 'events.jsonl';
/** Name of the directory of byte streams in a trace's directory. */
export const STREAMS_DIRECTORY = 'streams';

/** Makes a trace's directory (mode 0700), its empty file of events (0600) and its directory of streams. */
export function makeTraceFiles(directory: string): { events: number } {
  const file = join(directory, EVENTS_FILE);
  let events: number | null = null;
  try {
    makeDirectory(directory, 0o700);
    events = openSync(file, 'ax', 0o600);
    mkdirSync(join(directory, STREAMS_DIRECTORY), { mode: 0o700 });
    return { events };
  } catch (error) {
    if (events !== null) {
      closeSync(events);
      unlinkSync(file);
    }
    // A file where the directory should be is no trace.
    if (errnoOf(error) === 'EEXIST' && (error as NodeJS.ErrnoException).path !== directory) {
      throw new TraceError(
        'exists',
        file,
        `${directory} already holds a trace; give another directory, or move that one away`,
        {
          cause: error,
        },
      );
    }
    throw new TraceError('inaccessible', file, `the trace cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

/** Writes all bytes, however many calls that takes. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done);
}

/**
 * The file that holds a stream's bytes. Characters that are not safe in a file name are written as %XX of their
 * UTF-8 bytes. Pure.
 */
export function streamFile(directory: string, stream: string): string {
  const safe = Array.from(Buffer.from(stream), (byte, index) => {
    const character = String.fromCharCode(byte);
    const plain = /[A-Za-z0-9_-]/.test(character) || (character === '.' && index > 0);
    return plain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return join(directory, STREAMS_DIRECTORY, safe.join(''));
}

/** The errno name of a system error, or null. Pure. */
export function errnoOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** What an error says. Pure. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
