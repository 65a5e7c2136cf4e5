import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BadPackageError, UsageError } from '../../../src/runner/errors.ts';
import type { SourceTree } from '../../../src/runner/source.ts';
import { findTestControl, readOverride } from '../../../src/runner/testControlFile.ts';
import { makePackage, type PackageSpec } from '../../runner/support/packages.ts';
import { workplace } from '../../support/workplace.ts';

function tree(spec: PackageSpec): SourceTree {
  const directory = makePackage(workplace(), 'pkg', spec);
  return { kind: 'unbuilt-tree', argument: directory, directory };
}

const choice = { override: null, auto: false, timeout: 10_000, signal: new AbortController().signal };

test('the package describes its tests itself', async () => {
  const text = 'Tests: a\n';
  expect(await findTestControl(tree({ control: text }), choice)).toEqual({ text, file: 'debian/tests/control' });
  expect(await findTestControl(tree({}), choice)).toBeNull();
});

test('another file may stand in for it, and is read before there is a run', async () => {
  const file = join(workplace(), 'other');
  writeFileSync(file, 'Tests: b\n');
  const override = readOverride(file);
  expect(await findTestControl(tree({ control: 'Tests: a\n' }), { ...choice, override })).toBe(override);
  expect(() => readOverride(`${file}.gone`)).toThrow(UsageError);
});

test('what is not UTF-8 is told with its line', async () => {
  const source = tree({});
  writeFileSync(join(makeTests(source), 'control'), Buffer.from('Tests: a\nDepends: gr\xf6\xdfer\n', 'latin1'));
  const failure = findTestControl(source, choice);
  await expect(failure).rejects.toThrow(BadPackageError);
  await expect(failure).rejects.toMatchObject({ file: 'debian/tests/control', line: 2 });
});

test.each(['fifo', 'directory', 'device'])('a %s of that name is refused, and nobody waits for it', async (kind) => {
  const source = tree({});
  const file = join(makeTests(source), 'control');
  if (kind === 'fifo') execFileSync('mkfifo', [file]);
  else if (kind === 'directory') mkdirSync(file);
  else symlinkSync('/dev/zero', file);
  await expect(findTestControl(source, choice)).rejects.toThrow('debian/tests/control is not a file');
});

function makeTests({ directory }: SourceTree): string {
  makePackage(join(directory, '..'), 'pkg', { tests: { a: 'true\n' } });
  return join(directory, 'debian/tests');
}
