import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packSmallTree } from '../../src/driver/copy/smallTree.ts';
import { workplace } from '../support/workplace.ts';
import { type Entry, makeTree, trees } from './support/trees.ts';

const AS_WE_ASK = ['--create', '--file=-', '--format=gnu', '--sparse', '--numeric-owner', '--sort=name'];

function byTar(directory: string, ...more: readonly string[]): Buffer {
  return execFileSync('tar', [...AS_WE_ASK, ...more, '-C', directory, '.'], { env: { ...process.env, LC_ALL: 'C' } });
}

describe('the archive of a small tree', () => {
  test('is what tar makes of it, or is left to tar', () => {
    let ours = 0;
    fc.assert(
      fc.property(trees, fc.boolean(), (entries, readable) => {
        const directory = workplace();
        makeTree(directory, entries);
        const packed = packSmallTree(directory, readable);
        if (packed === null) return void expect(entries.some(isSpecial)).toBe(true);
        ours += 1;
        const asTar = byTar(directory, ...(readable ? ['--mode=a+rX'] : []));
        expect(packed.equals(asTar)).toBe(true);
      }),
      {
        numRuns: 60,
        examples: [
          [[], false],
          [[], true],
          [[plain('a'), plain('b')], true],
        ],
      },
    );
    expect(ours).toBeGreaterThan(2);
  });

  test('has whole seconds, also just before the next', () => {
    const directory = workplace();
    const file = join(directory, 'file');
    writeFileSync(file, 'x');
    execFileSync('touch', ['-d', '@1700000000.999999999', file]);
    utimesSync(directory, 1, 1);
    expect(packSmallTree(directory, false)?.equals(byTar(directory))).toBe(true);
  });

  test('is that of the directory where a symbolic link names it', () => {
    const directory = workplace();
    many(directory, 2);
    symlinkSync('0', join(directory, 'within'));
    const link = join(workplace(), 'link');
    symlinkSync(directory, link);
    for (const name of [link, `${link}/`, `${link}//`])
      expect(packSmallTree(name, false)?.equals(byTar(directory))).toBe(true);
  });

  const notOurs: Record<string, (directory: string) => void> = {
    'as many files as are no longer few': (directory) => many(directory, 200),
    'more bytes than are few': (directory) => writeFileSync(join(directory, 'file'), Buffer.alloc(256 * 1024 + 1, 1)),
    'a hole': (directory) => {
      many(directory, 1);
      truncateSync(join(directory, '0'), 100_000);
    },
    'two names of one file': (directory) => {
      many(directory, 1);
      linkSync(join(directory, '0'), join(directory, 'twin'));
    },
    'a fifo': (directory) => void execFileSync('mkfifo', [join(directory, 'fifo')]),
    'a time before 1970': (directory) => void execFileSync('touch', ['-d', '@-0.5', directory]),
    'a path of more than a hundred bytes': (directory) =>
      void mkdirSync(join(directory, 'x'.repeat(50), 'y'.repeat(50)), { recursive: true }),
  };

  test.each(Object.entries(notOurs))('is left to tar with %s', (_, make) => {
    const directory = workplace();
    make(directory);
    expect(packSmallTree(directory, false)).toBeNull();
  });

  test('is ours up to there', () => {
    const directory = workplace();
    many(directory, 199);
    writeFileSync(join(directory, '0'), Buffer.alloc(256 * 1024, 1));
    expect(packSmallTree(directory, false)?.equals(byTar(directory))).toBe(true);
  });

  test('is left to tar where there is no such directory', () => {
    expect(packSmallTree(join(workplace(), 'missing'), false)).toBeNull();
  });

  test('of a directory has its mode, which the tree of a test may need', () => {
    const directory = workplace();
    chmodSync(directory, 0o2750);
    for (const mode of [[], ['--mode=a+rX']]) {
      expect(packSmallTree(directory, mode.length > 0)?.equals(byTar(directory, ...mode))).toBe(true);
    }
  });
});

function plain(name: string): Entry {
  return { kind: 'file', name, mode: 0o600, time: 1_700_000_000, content: name };
}

function many(directory: string, count: number): void {
  for (let index = 0; index < count; index += 1) writeFileSync(join(directory, String(index)), '');
}

/** Whether tar is to see to it: what it is, or how long its path may become. */
function isSpecial(entry: Entry): boolean {
  if (entry.kind === 'directory') return entry.name.length > 20 || entry.entries.some(isSpecial);
  return (
    !['file', 'link'].includes(entry.kind) || entry.name.length > 20 || (entry.kind === 'link' && entry.to.length > 99)
  );
}
