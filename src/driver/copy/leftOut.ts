import type { CommandResult } from '../../events/index.ts';
import { WORDS } from './outcome.ts';

/** Each is about one entry of the tree, and the archive holds all the others. */
const SOCKET = /^tar: (?:\.\/)?(.*): socket ignored$/;
const UNREADABLE = /^tar: (?:\.\/)?(.*): Cannot (?:open|read|stat|readlink): Permission denied$/;
/** Somebody was writing there meanwhile: it is in the archive as it was found, or not where it was removed. */
const CHANGED = /^tar: .*: (?:file changed as we read it|File removed before we read it|File shrank by .*)$/;
const LAST = 'tar: Exiting with failure status due to previous errors';

/** What a tar of the testbed left out of its archive, by what it said. */
export interface Omissions {
  readonly sockets: readonly string[];
  readonly unreadable: readonly string[];
  /** Nothing else was wrong, so the archive is whole but for these. */
  readonly nothingElse: boolean;
}

/** Reads what GNU tar said while it packed a tree, in English. Pure. */
export function omissionsIn(words: string): Omissions {
  const lines = words.split('\n').filter((line) => line !== '' && line !== LAST);
  // Only the last of many words were kept, so the first line is half of one.
  if (words.length >= WORDS) lines.shift();
  const named = (form: RegExp) => lines.flatMap((line) => form.exec(line)?.[1] ?? []);
  const known = (line: string) => [SOCKET, UNREADABLE, CHANGED].some((form) => form.test(line));
  return { sockets: named(SOCKET), unreadable: named(UNREADABLE), nothingElse: lines.length > 0 && lines.every(known) };
}

/** Whether a tar's end says no more than that there were such entries. Pure. */
export function isIncomplete(result: CommandResult, { nothingElse }: Omissions): boolean {
  return result.kind === 'exited' && (result.status === 1 || result.status === 2) && nothingElse;
}
