import { type Command, Option } from 'commander';
import { mapOptions } from '../events/index.ts';
import type { KeepWhen } from '../testbed/index.ts';

/** The option of every verb whose testbed can stay. */
export interface KeepFlag {
  readonly keep?: KeepWhen;
}

/** Adds it to a verb. */
export function addKeepOption(command: Command): Command {
  return command.addOption(
    new Option('--keep [=when]', 'leave the testbed after the run, and tell how to get in').choices([
      'always',
      'on-failure',
      'never',
    ]),
  );
}

/**
 * The words with `--keep` as `--keep=always`: alone it takes no word, and what comes next is a source, a command or a
 * line. Values of other options are left alone, and so is what begins with the first operand if that is a command's.
 */
export function explicitKeep(
  words: readonly string[],
  command: Pick<Command, 'options'>,
  { commands = false }: { commands?: boolean } = {},
): string[] {
  return mapOptions(words, command, { endsAtOperand: commands }, (option) =>
    option === '--keep' ? '--keep=always' : option,
  );
}
