import { describe, expect, test } from 'vitest';
import { withArgumentFiles } from '../../../src/cli/argumentFiles.ts';

const FILES: Readonly<Record<string, string>> = {
  'sid.cfg': '-s\n--output-dir=/tmp/out\r\n  --env=A=b c  \n\n--\nqemu\n/path/to/sid.img\n',
  outer: '--quiet\n@inner\n./last',
  inner: '--shell\n',
  round: '@about\n',
  about: '@round\n',
};

function read(file: string): string {
  const text = FILES[file];
  if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${file}'`);
  return text;
}

describe('@FILE on the command line', () => {
  test('stands for the lines of the file, each one word, wherever it stands', () => {
    expect(withArgumentFiles(['foo.changes', '@sid.cfg'], read)).toEqual([
      ...['foo.changes', '-s', '--output-dir=/tmp/out', '--env=A=b c', '--', 'qemu', '/path/to/sid.img'],
    ]);
    expect(withArgumentFiles(['@outer', '--', 'null'], read)).toEqual(['--quiet', '--shell', './last', '--', 'null']);
  });

  test('is not what only has an @ in it, or nothing after it', () => {
    expect(withArgumentFiles(['a@b', '@', '--env=X=@outer'], read)).toEqual(['a@b', '@', '--env=X=@outer']);
  });

  test.each([
    ['@none', "the file of arguments none cannot be read: ENOENT: no such file or directory, open 'none'"],
    ['@round', 'the file of arguments round takes itself in: round, about, round'],
  ])('%s is refused', (word, problem) => {
    expect(() => withArgumentFiles([word], read)).toThrow(problem);
  });
});
