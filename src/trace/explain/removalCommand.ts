import type { Resource } from '../folds.ts';
import { REDACTED } from '../spans.ts';
import { printable, shellLine } from './words.ts';

/**
 * The command line that removes a resource by hand, or null where none is known. Pure.
 * @param whosever also where it is not the run's own, or nobody can tell: for who has looked
 */
export function removalCommand(resource: Resource, whosever = false): string | null {
  const words = resource.release ?? removal(resource);
  if (words === null) return null;
  const commands = whosever || resource.check === undefined ? [words] : [resource.check, words];
  // A command that lost a secret would remove something else, or nothing.
  if (commands.flat().some((word) => word.includes(REDACTED))) return null;
  return printable(commands.map(shellLine).join(' && '));
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
