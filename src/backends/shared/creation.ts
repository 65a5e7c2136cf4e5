import { accessSync, constants } from 'node:fs';
import { findProgram } from './programs.ts';
import { type ProgramOptions, type ProgramResult, runProgram } from './runProgram.ts';

/** Seconds for which a removal waits for a creation that goes on without its runner. */
const PATIENCE = 30;

const AFTER = `[ ! -e "$1" ] || { exec 9<"$1"; flock -w ${PATIENCE} 9; }; shift; exec "$@" 9<&-`;

/**
 * Runs a command that makes something which another command must remove. Should this process be killed meanwhile, the
 * command goes on; a removal {@link afterCreation} then waits for it, and does not look before there is anything.
 * @param directory stands until both are done
 * @throws what {@link runProgram} throws
 */
export async function runCreation(
  directory: string,
  argv: readonly string[],
  options: ProgramOptions,
): Promise<ProgramResult> {
  // flock(1) could say less well that it is not there.
  if (!isThere(argv[0] ?? '')) return await runProgram(argv, options);
  return await runProgram(['flock', '--close', directory, ...argv], options);
}

/** The command that removes what {@link runCreation} made or is making. Pure. */
export function afterCreation(directory: string, removal: readonly string[]): string[] {
  return ['sh', '-c', AFTER, 'sh', directory, ...removal];
}

function isThere(program: string): boolean {
  if (!program.includes('/')) return findProgram(program) !== null;
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
