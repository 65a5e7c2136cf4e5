import { type Command, Option } from 'commander';
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
  { options }: Pick<Command, 'options'>,
  { commands = false }: { commands?: boolean } = {},
): string[] {
  const takesWord = (form: string) =>
    options.some(({ long, short, required }) => required && (form === long || form === short));
  let isValue = false;
  let isOver = false;
  return words.map((word) => {
    const wasValue = isValue;
    isValue = false;
    isOver ||= !wasValue && (word === '--' || (commands && !word.startsWith('-')));
    if (isOver || wasValue || !word.startsWith('-')) return word;
    if (word === '--keep') return '--keep=always';
    // Of letters in a row the first that takes a word has the rest of them, or the word that follows.
    const at = word.startsWith('--')
      ? -1
      : [...word].findIndex((letter, index) => index > 0 && takesWord(`-${letter}`));
    isValue = at === -1 ? takesWord(word) : at === word.length - 1;
    return word;
  });
}
