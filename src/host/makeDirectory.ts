import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory of this machine, and those above it that are not there; nothing where it is there. Node's own
 * `recursive` never comes back where a parent cannot be made (as below /proc), and says ENOENT for a read-only file
 * system.
 * @param mode of every directory that is made, less the umask
 * @throws NodeJS.ErrnoException of the uppermost directory that could not be made
 */
export function makeDirectory(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && parent !== path && !isDirectory(parent)) {
      makeDirectory(parent, mode);
      // Once: where this fails too, the file system does not want it.
      makeOne(path, mode);
    } else if (!isDirectory(path)) throw error;
  }
}

function makeOne(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Somebody else may have been faster.
    if (!isDirectory(path)) throw error;
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
