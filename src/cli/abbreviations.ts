import type { Command } from 'commander';
import { mapOptions } from '../events/index.ts';
import { UsageError } from './UsageError.ts';

/**
 * The words with each long option that was cut short written whole, as Python's argparse, and so autopkgtest, takes
 * them: `--out=DIR` is `--output-dir=DIR`. Values, and words after `--`, are left alone.
 * @throws UsageError where more than one option is meant
 */
export function unabbreviated(words: readonly string[], command: Command): string[] {
  // Another spelling of --summary-file.
  const names = command.options.flatMap(({ long }) => (typeof long === 'string' && long !== '--summary' ? [long] : []));
  return mapOptions(words, command, { endsAtOperand: false }, (option) => {
    if (!/^--[a-z]/.test(option)) return option;
    const [name = '', ...value] = option.split('=');
    if (name === '--summary' || name === '--help' || names.includes(name)) return option;
    const meant = names.filter((each) => each.startsWith(name));
    if (meant.length > 1) throw new UsageError(`ambiguous option '${name}': it could be ${meant.join(', ')}`);
    return [meant[0] ?? name, ...value].join('=');
  });
}
