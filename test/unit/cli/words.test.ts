import { describe, expect, test } from 'vitest';
import {
  asksForBackendHelp,
  backendWords,
  halves,
  halvesAsAutopkgtest,
  shellWords,
  teachSeparator,
} from '../../../src/cli/words.ts';

const EXAMPLE = 'examples/hello -- null';

describe('the two halves of a command line', () => {
  test('are parted by the first --', () => {
    expect(halves(['a', '--', 'null', '--', 'x'])).toEqual({ what: ['a'], where: ['null', '--', 'x'] });
  });

  test('are parted by the last -- where a command may hold others', () => {
    expect(halves(['git', 'log', '--', 'f', '--', 'null'], 'last')).toEqual({
      what: ['git', 'log', '--', 'f'],
      where: ['null'],
    });
  });

  test('say so where there is no --', () => {
    expect(halves(['a', 'null'])).toEqual({ what: ['a', 'null'], where: null });
  });
});

describe('what scripts for autopkgtest hold besides', () => {
  test('is --- for --, where there is no other', () => {
    expect(halvesAsAutopkgtest(['.', '---', 'null', '---'])).toEqual({ what: ['.'], where: ['null', '---'] });
    expect(halvesAsAutopkgtest(['.', '---', '--', 'null'])).toEqual({ what: ['.', '---'], where: ['null'] });
  });

  test.each(['autopkgtest-virt-schroot', '/usr/bin/autopkgtest-virt-schroot'])(
    'is %s for the backend schroot',
    (server) => {
      expect(halvesAsAutopkgtest(['.', '--', server, 'sid'])).toEqual({ what: ['.'], where: ['schroot', 'sid'] });
    },
  );

  test.each(['null', './autopkgtest-virt-null', '/opt/own/autopkgtest-virt-null', 'autopkgtest-virt-'])(
    'and %s is itself',
    (name) => {
      expect(halvesAsAutopkgtest(['.', '--', name])).toEqual({ what: ['.'], where: [name] });
    },
  );

  test('and nothing is made up where no -- is', () => {
    expect(halvesAsAutopkgtest(['.', 'autopkgtest-virt-null'])).toEqual(halves(['.', 'autopkgtest-virt-null']));
  });
});

describe('a missing --', () => {
  test('is explained, and shown where it belongs', () => {
    const teach = () => teachSeparator('run', halves(['./hello', '-q', 'null']), EXAMPLE);
    expect(teach).toThrow('no `--`');
    expect(teach).toThrow(expect.objectContaining({ hint: 'perhaps you mean: trundle run ./hello -q -- null' }));
  });

  test('is explained by an example where nobody can guess', () => {
    expect(() => teachSeparator('run', halves(['./hello']), EXAMPLE)).toThrow(
      expect.objectContaining({ hint: 'as in: trundle run examples/hello -- null' }),
    );
  });

  test('does not matter to who asks for help', () => {
    expect(() => teachSeparator('run', halves(['--help']), EXAMPLE)).not.toThrow();
  });
});

describe('what follows the --', () => {
  test('is the backend and its options', () => {
    expect(backendWords('run', halves(['.', '--', 'ssh', '-p', '22']), EXAMPLE)).toEqual(['ssh', '-p', '22']);
  });

  test.each([[['.', '--']], [['.', '--', '']]])('is asked for in %j', (words) => {
    expect(() => backendWords('run', halves(words), EXAMPLE)).toThrow('no backend is named after `--`');
  });

  test('is not an option', () => {
    expect(() => backendWords('run', halves(['.', '--', '-p', 'null']), EXAMPLE)).toThrow('not an option (-p)');
  });

  test.each([
    [['null', '--help'], true],
    [['null', '-h'], true],
    [['null'], false],
    [['ssh', 'host', '--help'], false],
    [null, false],
  ])('%j asks for the help of the backend: %s', (where, expected) => {
    expect(asksForBackendHelp(where)).toBe(expected);
  });
});

test('words are quoted as for a shell, and only where they must be', () => {
  expect(shellWords(['a/b', 'x y', "it's", ''])).toBe(`a/b 'x y' 'it'\\''s' ''`);
});
