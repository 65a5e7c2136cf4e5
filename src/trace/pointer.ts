import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Owner } from './contract.ts';
import { errnoOf, messageOf } from './files.ts';
import { TraceError } from './TraceError.ts';

/** Name of the file, in a run's directory in the registry, that points to a trace elsewhere. */
const POINTER = 'run.json';

/** What the registry knows of a run whose trace is elsewhere, and may be deleted there. */
export interface Pointer {
  run: string;
  trace: string;
  /** Absent in pointers of Trundle before 0.1.0. */
  owner?: Owner;
  /** The run has ended and left nothing: its trace is not needed any more. */
  ended?: true;
}

/** Writes the pointer of a run whole or not at all. */
export function writePointer(directory: string, pointer: Pointer): void {
  const file = join(directory, POINTER);
  const made = `${file}.${process.pid}`;
  writeFileSync(made, `${JSON.stringify(pointer)}\n`, { mode: 0o600 });
  renameSync(made, file);
}

/**
 * Null where there is none, and where it is damaged: reading the trace then says what is missing.
 * @throws TraceError where it cannot be opened
 */
export function readPointer(directory: string): Pointer | null {
  try {
    const pointer: unknown = JSON.parse(readFileSync(join(directory, POINTER), 'utf8'));
    return isPointer(pointer) ? pointer : null;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError) return null;
    throw new TraceError('inaccessible', directory, messageOf(error), { cause: error });
  }
}

function isPointer(value: unknown): value is Pointer {
  return typeof value === 'object' && value !== null && 'trace' in value && typeof value.trace === 'string';
}
