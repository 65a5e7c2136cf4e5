import { statSync } from 'node:fs';
import { join } from 'node:path';

/** Where schroot(1) keeps a file for each session, from its begin to its end; it writes it once. */
const SESSIONS = '/var/lib/schroot/session';

/** stat(1) gives a mark in the same form. */
const FORMAT = '%i %.9Y';

const CHECK_MARK = [
  '[ -e "$1" ] || { echo "it has been ended" >&2; exit 1; }',
  `now=$(stat --format='${FORMAT}' -- "$1") || exit 2`,
  '[ "$now" = "$2" ] || { echo "the session of that name was begun later, not by this run; it is left alone" >&2; exit 1; }',
].join('; ');

const CHECK_UNKNOWN = [
  'sessions=$(schroot --list --all-sessions) || exit 2',
  'echo "$sessions" | grep -qxF "session:$1" || { echo "there is none of that name" >&2; exit 1; }',
  'echo "the run was killed while it was beginning one" >&2',
  'exit 2',
].join('; ');

/**
 * What tells a session from every other that bears its name before or after: the inode and the time of its file. Null
 * where there is none to be seen.
 */
export function markOf(id: string, sessions = SESSIONS): string | null {
  try {
    const { ino, mtimeNs } = statSync(join(sessions, id), { bigint: true });
    const nanoseconds = String(mtimeNs).padStart(10, '0');
    return `${ino} ${nanoseconds.slice(0, -9)}.${nanoseconds.slice(-9)}`;
  } catch {
    // This machine's schroot keeps them elsewhere.
    return null;
  }
}

/** The command that tells whether a session is the one with this mark. Pure. */
export function checkMark(id: string, mark: string, sessions = SESSIONS): string[] {
  return ['sh', '-c', CHECK_MARK, 'sh', join(sessions, id), mark];
}

/** The command that tells, while nobody knows the mark of a session, whether there is one of its name. Pure. */
export function checkUnknown(id: string): string[] {
  return ['sh', '-c', CHECK_UNKNOWN, 'sh', id];
}
