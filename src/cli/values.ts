import { InvalidArgumentError } from 'commander';
import { DEADLINES, type DeadlineTable, didYouMean } from '../events/index.ts';

/** Reads `NAME=MS` and adds it to what earlier options said. @throws InvalidArgumentError */
export function deadlineValue(text: string, before: DeadlineTable = {}): DeadlineTable {
  const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  const names = Object.keys(DEADLINES);
  if (name === '')
    throw new InvalidArgumentError(`Expected NAME=MS, as in --deadline boot=300000. Names: ${names.join(', ')}.`);
  if (!names.includes(name)) {
    throw new InvalidArgumentError(
      `There is no deadline "${name}".${didYouMean(name, names)} Names: ${names.join(', ')}.`,
    );
  }
  if (!/^\d+$/.test(value) || Number(value) < 1 || Number(value) > LONGEST) {
    throw new InvalidArgumentError(`Expected milliseconds, a whole number from 1 to ${LONGEST}.`);
  }
  return { ...before, [name]: Number(value) };
}

/** The longest wait that a timer of Node can hold, in milliseconds. */
const LONGEST = 2 ** 31 - 1;

/**
 * Reads a positive number of seconds. More than a timer holds, which is 24 days, is the most that it holds: who says 99999999
 * means never.
 * @throws InvalidArgumentError
 */
export function secondsValue(text: string): number {
  const seconds = numberIn(text);
  if (!(seconds > 0)) throw new InvalidArgumentError('Expected a number of seconds above 0.');
  return Math.min(seconds, LONGEST / 1000);
}

/** The same, or 0 for no limit. @throws InvalidArgumentError */
export function secondsOrNoneValue(text: string): number {
  return text === '0' ? 0 : secondsValue(text);
}

/** Reads a positive number. @throws InvalidArgumentError */
export function factorValue(text: string): number {
  const factor = numberIn(text);
  if (!(factor > 0 && factor <= 1_000_000)) throw new InvalidArgumentError('Expected a number above 0.');
  return factor;
}

/** Reads a whole number from 1 on. @throws InvalidArgumentError */
export function countValue(text: string): number {
  if (!/^\d{1,6}$/.test(text) || Number(text) < 1) throw new InvalidArgumentError('Expected a whole number from 1 on.');
  return Number(text);
}

/** Reads `NAME=VALUE` and adds it to what earlier options said. @throws InvalidArgumentError */
export function assignmentValue(text: string, before: readonly string[] = []): readonly string[] {
  if (!/^[A-Za-z_][A-Za-z0-9_]*=/.test(text) || text.includes('\0'))
    throw new InvalidArgumentError('Expected NAME=VALUE.');
  return [...before, text];
}

/** Reads the name of a variable and adds it to what earlier options said. @throws InvalidArgumentError */
export function variableValue(text: string, before: readonly string[] = []): readonly string[] {
  // Without the text: it may hold the secret.
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(text))
    throw new InvalidArgumentError('Expected the name of a variable, without its value.');
  return [...before, text];
}

/** Adds a word to what earlier options said. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Adds words parted by commas to what earlier options said. */
export function collectList(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').filter((word) => word !== '')];
}

function numberIn(text: string): number {
  return /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
}

/** Reads a TCP port; 0 is any free one. @throws InvalidArgumentError */
export function portValue(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('Expected a port, 0 to 65535.');
  return Number(text);
}
