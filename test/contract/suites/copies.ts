import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { workplace } from '../../support/workplace.ts';
import type { Contract } from '../support/contract.ts';

export function copies(contract: Contract): void {
  /** A directory of the testbed's own, gone when the test is. */
  async function withScratch(use: (scratch: string) => Promise<void>): Promise<void> {
    const { testbed } = contract;
    const scratch = (await testbed.exec('mktemp -d')).stdout.trim();
    try {
      await use(scratch);
    } finally {
      await testbed.exec(['rm', '-rf', scratch]);
    }
  }

  test('a file, there and back, to the byte and with its mode', () =>
    withScratch(async (scratch) => {
      const here = workplace();
      const bytes = randomBytes(3_000_001);
      writeFileSync(join(here, 'a file'), bytes);
      chmodSync(join(here, 'a file'), 0o750);
      let told = 0;
      await contract.testbed.copyDown(join(here, 'a file'), `${scratch}/it's there`, {
        onProgress: (count) => {
          told = count;
        },
      });
      expect(told).toBeGreaterThanOrEqual(bytes.length);
      await contract.testbed.copyUp(`${scratch}/it's there`, join(here, 'back'));
      expect(readFileSync(join(here, 'back')).equals(bytes)).toBe(true);
      expect(lstatSync(join(here, 'back')).mode & 0o777).toBe(0o750);
    }));

  test('a tree, there and back, with links, modes, empty directories and odd names', () =>
    withScratch(async (scratch) => {
      const tree = join(workplace(), 'tree');
      const back = join(workplace(), 'back');
      mkdirSync(join(tree, 'empty'), { recursive: true });
      mkdirSync(join(tree, '-n'));
      writeFileSync(join(tree, '-n', 'two\nlines'), 'odd');
      writeFileSync(join(tree, 'ä€𝄞'), 'unicode');
      writeFileSync(join(tree, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
      symlinkSync('run.sh', join(tree, 'link'));
      symlinkSync('/nowhere/at/all', join(tree, 'dangling'));
      await contract.testbed.copyDown(`${tree}/`, `${scratch}/tree/`);
      await contract.testbed.copyUp(`${scratch}/tree/`, `${back}/`);
      expect(describeTree(back)).toEqual(describeTree(tree));
    }));

  test('says what is missing, on either side, and goes on', () =>
    withScratch(async (scratch) => {
      const { testbed } = contract;
      const here = workplace();
      await expect(testbed.copyDown(join(here, 'missing'), `${scratch}/x`)).rejects.toThrow(/missing/);
      await expect(testbed.copyUp(`${scratch}/missing`, join(here, 'x'))).rejects.toThrow(/missing/);
      expect(readdirSync(here)).toEqual([]);
      expect((await testbed.exec(['ls', '-A', scratch])).stdout).toBe('');
    }));

  test('several at once, beside commands', () =>
    withScratch(async (scratch) => {
      const { testbed } = contract;
      const here = workplace();
      const names = ['one', 'two', 'three', 'four'];
      for (const name of names) writeFileSync(join(here, name), name.repeat(100_000));
      await Promise.all([
        ...names.map((name) => testbed.copyDown(join(here, name), `${scratch}/${name}`)),
        ...names.map((name) => testbed.exec(['echo', name])),
      ]);
      const { stdout } = await testbed.exec('for f in one two three four; do wc -c <$f; done', { cwd: scratch });
      expect(stdout).toBe(names.map((name) => `${name.length * 100_000}\n`).join(''));
    }));
}

/** Names, kinds, modes, contents and targets of all that is in a tree. */
function describeTree(root: string): Record<string, string> {
  const entries = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    entries.map((name) => {
      const path = join(root, name);
      const stat = lstatSync(path);
      const mode = (stat.mode & 0o777).toString(8);
      if (stat.isSymbolicLink()) return [name, `link to ${readlinkSync(path)}`];
      return [name, stat.isDirectory() ? `directory ${mode}` : `file ${mode} ${readFileSync(path, 'latin1')}`];
    }),
  );
}
