import type { Command } from 'commander';
import { mapOptions } from '../events/index.ts';
import type { OptionsHelp } from './contract.ts';
import { BackendOptionError } from './errors.ts';

/**
 * The words with each long option that was cut short written whole, as Python's argparse, and so autopkgtest's servers,
 * take them: `--host=x` is `--hostname=x`. Values, and words that are passed through, are left alone.
 * @throws BackendOptionError where more than one option is meant
 */
export function unabbreviated(
  command: Command,
  { passThrough = false }: Pick<OptionsHelp, 'passThrough'>,
  words: readonly string[],
): string[] {
  const names = command.options.flatMap(({ long }) => long ?? []);
  return mapOptions(words, command, { endsAtOperand: passThrough }, (option) => {
    if (!option.startsWith('--')) return option;
    const [flag = '', value] = option.split(/=(.*)/s);
    const whole = wholeName(flag, names, command.name());
    return value === undefined ? whole : `${whole}=${value}`;
  });
}

function wholeName(flag: string, names: readonly string[], backend: string): string {
  if (names.includes(flag) || flag === '--help') return flag;
  // What says no is meant only where it is begun to be said.
  const meant = names.filter(
    (name) => name.startsWith(flag) && (flag.startsWith('--no-') || !name.startsWith('--no-')),
  );
  if (meant.length <= 1) return meant[0] ?? flag;
  const problem = `ambiguous option '${flag}': it could be ${meant.join(', ')}`;
  throw new BackendOptionError(backend, `${backend}: ${problem}`, flag);
}
