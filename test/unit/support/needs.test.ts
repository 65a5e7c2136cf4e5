import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findProgram, needs } from '../../support/needs.ts';

test('CI installs the package of everything that a test may need', () => {
  const list = readFileSync(new URL('../../../scripts/ci-packages.txt', import.meta.url), 'utf8');
  const installed = new Set(list.split('\n').filter((line) => line !== '' && !line.startsWith('#')));
  const forgotten = Object.values(needs)
    .flatMap((need) => ('package' in need ? [need.package] : []))
    .filter((name) => !installed.has(name));
  expect(forgotten).toEqual([]);
});

test('a program that no machine has is not found', () => {
  expect(findProgram('no-such-program-anywhere')).toBeNull();
});

test('a program is found by its full path', () => {
  expect(findProgram('sh')).toMatch(/^\/.*\/sh$/);
});
