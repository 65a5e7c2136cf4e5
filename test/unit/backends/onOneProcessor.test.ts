import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { onOneProcessor, parseProcessors } from '../../../src/backends/schroot/onOneProcessor.ts';

test('a list of proc(5) names single processors and ranges of them', () => {
  expect(parseProcessors('0')).toEqual([0]);
  expect(parseProcessors('0-3,8,10-11')).toEqual([0, 1, 2, 3, 8, 10, 11]);
  expect(parseProcessors('')).toEqual([]);
  expect(parseProcessors('all')).toEqual([]);
});

describe('programs that are started one after another', () => {
  const names = Array.from({ length: 64 }, (_, index) => `session-${index}`);

  test('are kept to one processor, where there are several', () => {
    const [program = 'nproc', ...args] = [...onOneProcessor('session'), 'nproc'];
    expect(spawnSync(program, args, { encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '1\n' });
  });

  test('and not all to the same', () => {
    const chosen = new Set(names.map((name) => onOneProcessor(name).at(-1)));
    // Of 64 names, all of some few processors are among the answers.
    expect(chosen.size).toBeGreaterThanOrEqual(Math.min(availableParallelism(), 4));
  });
});
