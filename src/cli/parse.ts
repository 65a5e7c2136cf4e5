import { Command, CommanderError } from 'commander';
import { nearestOption } from '../events/index.ts';
import { UsageError } from './UsageError.ts';

/** Help was asked for and has been printed: nothing more to do. */
export class HelpShown extends Error {
  override readonly name = 'HelpShown';
}

/** A verb's command line, ready for its arguments and options. */
export function verbCommand(verb: string, usage: string, description: string): Command {
  return new Command(`trundle ${verb}`)
    .usage(usage)
    .description(description)
    .helpOption('-h, --help', 'show this help')
    .allowExcessArguments(false)
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureOutput({ outputError: () => {} });
}

/**
 * Reads a verb's words.
 * @throws UsageError in our own words, HelpShown where help was asked for
 */
export function parseWords(command: Command, words: readonly string[]): Command {
  try {
    return command.parse([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new HelpShown();
    const message = error.message.replace(/^error: /, '');
    const [, given] = /^unknown option '(--[^'=]+)/.exec(message) ?? [];
    if (given === undefined) throw new UsageError(message, null);
    const like = nearestOption(given, ['--help', ...command.options.flatMap(({ long }) => long ?? [])]);
    // Without a value that it may have: that may be a secret.
    throw new UsageError(`unknown option '${given}'`, like === null ? null : `Did you mean ${like}?`);
  }
}
