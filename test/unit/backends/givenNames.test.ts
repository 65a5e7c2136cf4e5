import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkContainer, markContainer } from '../../../src/backends/lxc/marks.ts';
import { checkArgv } from '../../../src/backends/lxd/commands.ts';
import { checkMark, markOf } from '../../../src/backends/schroot/marks.ts';
import { workplace } from '../../support/workplace.ts';

/** What a check comes to: 0 the run's own, 1 another's or nobody's, 2 nobody can tell. */
function statusOf([program = '', ...args]: readonly string[]): number | null {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(/./)]);
  return status;
}

describe('a session of schroot', () => {
  test('is told by its file from all that have its name later', () => {
    const sessions = workplace();
    const file = join(sessions, 'mine');
    expect(markOf('mine', sessions)).toBeNull();
    writeFileSync(file, '[mine]\n');
    const mark = markOf('mine', sessions) ?? '';
    const check = checkMark('mine', mark, sessions);
    expect(statusOf(check)).toBe(0);
    rmSync(file);
    expect(statusOf(check)).toBe(1);
    writeFileSync(file, '[mine]\n');
    expect(statusOf(check)).toBe(1);
  });
});

describe('a container of lxc', () => {
  const made = () => {
    const lxcpath = workplace();
    const directory = join(lxcpath, 'mine');
    return { directory, check: checkContainer(lxcpath, 'mine', 'r1-tb1') };
  };

  test('is told by the mark that was in its directory first', () => {
    const { directory, check } = made();
    expect(statusOf(check)).toBe(1);
    markContainer(directory, 'r1-tb1');
    expect(statusOf(check)).toBe(0);
    writeFileSync(join(directory, 'config'), '');
    expect(statusOf(check)).toBe(0);
  });

  test('is another’s where the mark is, or where it has none and is configured', () => {
    const { directory, check } = made();
    markContainer(directory, 'r2-tb1');
    expect(statusOf(check)).toBe(1);
    rmSync(directory, { recursive: true });
    mkdirSync(directory);
    writeFileSync(join(directory, 'config'), '');
    expect(statusOf(check)).toBe(1);
  });

  test('may be anybody’s before it has either', () => {
    const { directory, check } = made();
    mkdirSync(directory);
    expect(statusOf(check)).toBe(2);
  });

  test('is never marked where there is one', () => {
    const { directory } = made();
    mkdirSync(directory);
    expect(() => markContainer(directory, 'r1-tb1')).toThrow(/EEXIST/);
  });
});

describe('an instance of a daemon', () => {
  test.each([
    ['echo r1-tb1', 0],
    ['echo r2-tb1', 1],
    ['echo', 1],
    ['echo "Error: Instance not found" >&2; exit 1', 1],
    ['echo "Error: no answer" >&2; exit 1', 2],
  ])('whose client says %j', (says, status) => {
    const client = { daemon: 'lxd' as const, argv: ['sh', '-c', says, 'lxc'], plain: [], remote: '' };
    expect(statusOf(checkArgv(client, 'mine', 'r1-tb1'))).toBe(status);
  });
});
