import type { Resource } from '../folds.ts';
import { REDACTED } from '../spans.ts';
import { printable, shellLine } from './words.ts';

/** The command line that removes a resource by hand, or null where none is known. Pure. */
export function removalCommand(resource: Resource): string | null {
  const words = resource.release ?? removal(resource);
  // A command that lost a secret would remove something else, or nothing.
  if (words === null || words.some((word) => word.includes(REDACTED))) return null;
  return printable(shellLine(words));
}

function removal({ kind, name }: Resource): string[] | null {
  switch (kind) {
    case 'process':
      return ['kill', '-KILL', name];
    case 'directory':
      return ['rm', '-rf', '--', name];
    case 'file':
    case 'socket':
      return ['rm', '-f', '--', name];
    case 'mount':
      return ['umount', '--', name];
    default:
      return null;
  }
}
