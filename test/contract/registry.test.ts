import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { EVERY_BACKEND } from './support/backends.ts';
import { judge } from './support/parity/differences.ts';
import { EXPLANATIONS } from './support/parity/explanations.ts';
import { recordedReport } from './support/parity/recorded.ts';

describe('the registry of backends', () => {
  test('has a file of tests for each group', () => {
    const files = [...new Set(EVERY_BACKEND.map(({ group }) => `${group}.test.ts`))];
    expect(files.filter((name) => !existsSync(fileURLToPath(new URL(name, import.meta.url))))).toEqual([]);
  });

  test('has no two of a name', () => {
    const names = EVERY_BACKEND.map(({ name }) => name);
    expect([...new Set(names)]).toEqual(names);
  });
});

describe('the report of parity', () => {
  test('has every backend of the registry, and no other', () => {
    expect(Object.keys(recordedReport())).toEqual(EVERY_BACKEND.map(({ name }) => name));
  });

  test('leaves no difference unexplained', () => {
    expect(judge(recordedReport(), EXPLANATIONS).unexplained).toEqual([]);
  });

  test('has no explanation of what is no difference any more', () => {
    expect(judge(recordedReport(), EXPLANATIONS).stale).toEqual([]);
  });
});
