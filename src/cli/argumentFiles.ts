import { readFileSync } from 'node:fs';
import { UsageError } from './UsageError.ts';

/**
 * The words of a command line with each `@FILE` replaced by the lines of that file, one word each, without the space
 * around them (autopkgtest(1), CONFIGURATION FILES). A line may be an `@FILE` again, or the `--`. Empty lines are passed
 * over. A file is looked for from the current directory, also where another file names it.
 * @throws UsageError where a file cannot be read, or takes itself in
 */
export function withArgumentFiles(words: readonly string[], read: (file: string) => string = readText): string[] {
  const expand = (word: string, within: readonly string[]): string[] => {
    if (!/^@./.test(word)) return [word];
    const file = word.slice(1);
    if (within.includes(file)) {
      throw new UsageError(`the file of arguments ${file} takes itself in: ${[...within, file].join(', ')}`);
    }
    return contentOf(file, read)
      .split(/\r\n|\r|\n/)
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .flatMap((line) => expand(line, [...within, file]));
  };
  return words.flatMap((word) => expand(word, []));
}

function contentOf(file: string, read: (file: string) => string): string {
  try {
    return read(file);
  } catch (error) {
    throw new UsageError(
      `the file of arguments ${file} cannot be read: ${(error as Error).message}`,
      'a word that begins with @ names a file with one argument a line',
    );
  }
}

function readText(file: string): string {
  return readFileSync(file, 'utf8');
}
