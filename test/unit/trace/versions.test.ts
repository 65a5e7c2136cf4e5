import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TRACE_VERSION } from '../../../src/trace/contract.ts';
import { readTrace } from '../../../src/trace/readTrace.ts';
import { UPGRADES, type Upgrade, upgradeFrom } from '../../../src/trace/versions/index.ts';

const FIXTURES = join(import.meta.dirname, '../../traces');

const renaming: Upgrade = {
  header: (header) => ({ ...header, format: 2 }),
  line: ({ old, ...rest }) => ({ ...rest, new: old }),
};
const doubling: Upgrade = {
  header: (header) => ({ ...header, format: 3 }),
  line: (line) => ({ ...line, new: Number(line.new) * 2 }),
};

describe('older formats', () => {
  test('are brought up step by step', () => {
    const upgrade = upgradeFrom(1, 3, { 1: renaming, 2: doubling });
    expect(upgrade?.header({ format: 1 })).toEqual({ format: 3 });
    expect(upgrade?.line({ seq: 1, old: 21 })).toEqual({ seq: 1, new: 42 });
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
