import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TRACE_VERSION } from '../../../src/trace/contract.ts';
import { readTrace } from '../../../src/trace/readTrace.ts';
import type { Upgrade } from '../../../src/trace/versions/contract.ts';
import { UPGRADES, upgradeFrom } from '../../../src/trace/versions/index.ts';

const FIXTURES = join(import.meta.dirname, '../../traces');

const renaming: Upgrade = {
  header: (header) => ({ ...header, format: 2 }),
  lines:
    () =>
    ({ old, ...rest }) => ({ ...rest, new: old }),
};
const doubling: Upgrade = {
  header: (header) => ({ ...header, format: 3 }),
  lines: () => (line) => ({ ...line, new: Number(line.new) * 2 }),
};

describe('older formats', () => {
  test('are brought up step by step', () => {
    const upgrade = upgradeFrom(1, 3, { 1: renaming, 2: doubling });
    expect(upgrade?.header({ format: 1 })).toEqual({ format: 3 });
    expect(upgrade?.lines()({ seq: 1, old: 21 })).toEqual({ seq: 1, new: 42 });
  });

  test('need no step where they are not old', () => {
    expect(upgradeFrom(TRACE_VERSION)).toBeNull();
  });

  test('must have every step', () => {
    expect(() => upgradeFrom(1, 3, { 1: renaming })).toThrow(/nothing upgrades a trace from format 2 to 3/);
    for (let version = 1; version < TRACE_VERSION; version++) expect(UPGRADES[version]).toBeDefined();
  });

  test('each have a fixture that stays readable', async () => {
    const fixtures = readdirSync(FIXTURES);
    for (let version = 1; version <= TRACE_VERSION; version++) {
      const ofVersion = fixtures.filter((name) => name.startsWith(`v${version}-`));
      expect(ofVersion).not.toEqual([]);
      for (const name of ofVersion) {
        const trace = await readTrace(join(FIXTURES, name), { validate: true });
        for await (const line of trace.lines()) expect(line).toBeTypeOf('object');
        expect(trace.end).toMatchObject({ truncated: name.endsWith('-truncated') });
      }
    }
  });
});

describe('a trace of format 1', () => {
  const upgrade = upgradeFrom(1, 2) as Upgrade;
  const started = (testbed: string, copy: string) => ({ type: 'copy.started', testbed, copy });
  const requested = (testbed: string, line: string) => ({ type: 'command.requested', testbed, line });

  test('knows nothing of the system that the run had under it', () => {
    expect(upgrade.header({ format: 1, run: 'r' })).toEqual({ format: 2, run: 'r', system: null });
  });

  test('gives each copy the next command of its testbed that can carry it out', () => {
    const lines = [
      started('tb1', 'tb1.f1'),
      started('tb2', 'tb2.f1'),
      requested('tb1', 'true'),
      requested('tb2', "sh -c 'tar --extract'"),
      requested('tb1', 'cat /file'),
      requested('tb1', 'cat /other'),
    ];
    const upgraded = lines.map(upgrade.lines());
    expect(upgraded.map((line) => line.copy)).toEqual(['tb1.f1', 'tb2.f1', undefined, 'tb2.f1', 'tb1.f1', undefined]);
    // Another reading begins anew.
    expect(upgrade.lines()(requested('tb1', 'cat /other'))).not.toHaveProperty('copy');
  });

  const pairs = readdirSync(FIXTURES).flatMap((name) => (/^v1-.*(?<!killed.*)$/.test(name) ? [name.slice(3)] : []));
  test.each(pairs)('has the same copies as the same run recorded today: %s', async (name) => {
    const copies = async (version: number) => {
      const trace = await readTrace(join(FIXTURES, `v${version}-${name}`));
      const found: (string | undefined)[] = [];
      for await (const line of trace.lines())
        if ('seq' in line && line.type === 'command.requested') found.push(line.copy);
      return found;
    };
    expect(await copies(1)).toEqual(await copies(2));
  });
});
