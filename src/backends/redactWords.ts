import type { Command, Option } from 'commander';
import type { OptionsHelp } from './contract.ts';

const HIDDEN = '[redacted]';

/**
 * The words of a command line with the values of secret options taken out, however they were spelled: `--password x`,
 * `--password=x`, `-P x`, `-Px`, `-rPx`, or as a positional argument. Pure.
 */
export function redactWords(
  command: Command,
  { secret = [], passThrough = false }: OptionsHelp,
  words: readonly string[],
): string[] {
  const positional = command.registeredArguments.map((argument) => ({
    hidden: secret.includes(camel(argument.name())),
    rest: argument.variadic,
  }));
  let place = 0;
  let onlyPositional = false;
  /** What the word that comes next is the value of. */
  let awaiting: Option | null = null;
  const isSecret = (option: Option) => secret.includes(option.attributeName());

  const ofPositional = (word: string) => {
    onlyPositional ||= passThrough;
    const hidden = positional[place]?.hidden === true;
    if (positional[place]?.rest !== true) place += 1;
    return hidden ? HIDDEN : word;
  };
  const ofLong = (word: string) => {
    const [flag = '', value] = word.split(/=(.*)/s);
    const option = command.options.find(({ long }) => long === flag);
    if (option?.required !== true) return word;
    if (value === undefined) awaiting = option;
    return value !== undefined && isSecret(option) ? `${flag}=${HIDDEN}` : word;
  };
  const ofShort = (word: string) => {
    for (let at = 1; at < word.length; at += 1) {
      const option = command.options.find(({ short }) => short === `-${word[at]}`);
      if (option?.required !== true) continue;
      if (at === word.length - 1) awaiting = option;
      else if (isSecret(option)) return `${word.slice(0, at + 1)}${HIDDEN}`;
      break;
    }
    return word;
  };
  return words.map((word) => {
    if (awaiting !== null) {
      const hide = isSecret(awaiting);
      awaiting = null;
      return hide ? HIDDEN : word;
    }
    if (onlyPositional || word === '-' || !word.startsWith('-')) return ofPositional(word);
    if (word === '--') {
      onlyPositional = true;
      return word;
    }
    return word.startsWith('--') ? ofLong(word) : ofShort(word);
  });
}

function camel(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}
