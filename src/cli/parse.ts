import { Command, CommanderError } from 'commander';
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
    const [problem = '', ...suggestion] = error.message.replace(/^error: /, '').split('\n');
    const hint = suggestion
      .join(' ')
      .replace(/^\((.*)\)$/, '$1')
      .trim();
    throw new UsageError(problem, hint === '' ? null : hint);
  }
}
