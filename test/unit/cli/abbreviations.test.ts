import { describe, expect, test } from 'vitest';
import { parseRun } from '../../../src/cli/verbs/run.ts';

describe('long options that are cut short', () => {
  test('are what they can only be', () => {
    const words = ['--out=o', '--summ=s', '--log', 'l', '--env', 'A=b=c', '--setup-commands=true', '--shell-f', '.'];
    expect(parseRun(words).tests).toMatchObject({
      outputDir: 'o',
      summaryFile: 's',
      logFile: 'l',
      env: ['A=b=c'],
      setupCommands: ['true'],
      shell: 'on-failure',
    });
    expect(parseRun(['--summary=s', '--timeout=3', '--shell', '.']).tests).toMatchObject({
      summaryFile: 's',
      timeout: 3,
      shell: 'always',
    });
  });

  test.each([
    ['--test-', "ambiguous option '--test-': it could be --test-name, --test-architecture"],
    ['--tset-name', "unknown option '--tset-name'"],
  ])('%s is refused', (word, problem) => {
    expect(() => parseRun([word, 'x', '.'])).toThrow(problem);
  });
});
