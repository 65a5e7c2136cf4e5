import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The file in a container's directory that tells which run made it. */
const MARK = 'trundle-run';

const CHECK = [
  '[ -e "$1/$2" ] || { echo "it has been removed" >&2; exit 1; }',
  `mark=$(cat -- "$1/$2/${MARK}" 2>/dev/null)`,
  '[ "$mark" != "$3" ] || exit 0',
  '[ -z "$mark" ] && [ ! -e "$1/$2/config" ] || { echo "the container of that name was not made by this run; it is left alone" >&2; exit 1; }',
  'echo "the run was killed as it began to make it, or somebody else is at it" >&2',
  'exit 2',
].join('; ');

/**
 * Makes the directory of a container, which lxc-copy(1) then takes as it is. The mark is in it before anything else: a
 * container without one is somebody else's.
 * @throws an errno, which is EEXIST where somebody has it; then nothing was made
 */
export function markContainer(directory: string, mark: string): void {
  mkdirSync(directory, { mode: 0o770 });
  try {
    writeFileSync(join(directory, MARK), `${mark}\n`);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

/** The command that tells whether a container has this mark. Pure. */
export function checkContainer(lxcpath: string, name: string, mark: string): string[] {
  return ['sh', '-c', CHECK, 'sh', lxcpath, name, mark];
}
