import type { Command } from 'commander';
import { UsageError } from './UsageError.ts';

/**
 * The words with each long option that was cut short written whole, as Python's argparse, and so autopkgtest, takes
 * them: `--out=DIR` is `--output-dir=DIR`. Words after `--` are left alone.
 * @throws UsageError where more than one option is meant
 */
export function unabbreviated(words: readonly string[], { options }: Command): string[] {
  // Another spelling of --summary-file.
  const names = options.flatMap(({ long }) => (typeof long === 'string' && long !== '--summary' ? [long] : []));
  const end = words.indexOf('--');
  return words.map((word, index) => {
    if (!/^--[a-z]/.test(word) || (end !== -1 && index > end)) return word;
    const [name = '', ...value] = word.split('=');
    if (name === '--summary' || name === '--help' || names.includes(name)) return word;
    const meant = names.filter((each) => each.startsWith(name));
    if (meant.length > 1) throw new UsageError(`ambiguous option '${name}': it could be ${meant.join(', ')}`);
    return [meant[0] ?? name, ...value].join('=');
  });
}
