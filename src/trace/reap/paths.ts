import { readFileSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, normalize, sep } from 'node:path';
import { homeDirectory } from '../../host/index.ts';
import { errnoOf } from '../files.ts';

/** Directories of the system, in which no testbed keeps anything of its own. */
const SYSTEM = new Set(['bin', 'boot', 'etc', 'lib', 'lib32', 'lib64', 'libx32', 'proc', 'sbin', 'sys', 'usr']);
/** Directories whose children are the system's or somebody's as well. */
const SHARED = new Set(['dev', 'home', 'run', 'var']);

/**
 * Why a tree must not be removed, whatever a trace says; null where nothing speaks against it.
 * @param inUse paths that must outlive the removal: nothing above them is removed
 */
export function whyNotRemove(path: string, inUse: readonly string[] = [homeDirectory(), process.cwd()]): string | null {
  if (!isAbsolute(path) || normalize(path) !== path || path.endsWith(sep)) return 'its path is not absolute and plain';
  const parts = path.split(sep).slice(1);
  const top = parts[0] ?? '';
  if (parts.length < 2 || SYSTEM.has(top) || (SHARED.has(top) && parts.length < 3))
    return 'its path belongs to the system';
  const above = inUse.find((used) => used === path || used.startsWith(`${path}${sep}`));
  if (above !== undefined) return `${above} is in it`;
  return throughLink(path) ? 'its path leads through a symbolic link' : null;
}

/** Whether the way to a path leads through a symbolic link. A way that does not exist leads nowhere. */
export function throughLink(path: string): boolean {
  const parent = dirname(path);
  try {
    return realpathSync(parent) !== parent;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Every mount point of this process's mount namespace (proc(5), /proc/PID/mountinfo). */
export function mountPoints(): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'latin1').split('\n');
  return lines.flatMap((line) => {
    const point = line.split(' ')[4];
    // Blanks, tabs, newlines and backslashes stand as three octal digits.
    const plain = point?.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    return plain === undefined ? [] : [Buffer.from(plain, 'latin1').toString()];
  });
}

/** The mount points at or below a path. */
export function mountsIn(path: string): string[] {
  return mountPoints().filter((point) => point === path || point.startsWith(`${path}${sep}`));
}
