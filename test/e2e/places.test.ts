import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { describeWith } from '../support/needs.ts';
import { makePackage } from '../support/packages.ts';
import { workplace } from '../support/workplace.ts';
import { cli, ownState, root } from './support/cli.ts';

describeWith(['proc'], 'a place where no directory can be made', () => {
  test.each([
    ['run', 'examples/hello'],
    ['exec', 'true'],
  ])('is said to be no place for the state of trundle %s', async (verb, what) => {
    const end = await cli([verb, what, '--', 'null'], { env: { XDG_STATE_HOME: '/proc/nope' } });
    expect([end.status, end.stdout]).toEqual([20, '']);
    expect(end.stderr).toContain(`trundle ${verb}: /proc/nope/trundle/runs/`);
    expect(end.stderr).toContain("the trace cannot be written: ENOENT: no such file or directory, mkdir '/proc/nope'");
    expect(end.stderr).toContain('Name another directory with --trace DIR, or set XDG_STATE_HOME.');
  });

  test.each(['/proc/1/x', '/proc/nope/x'])('is said to be none for results: %s', async (out) => {
    const end = await cli(['run', '-o', out, 'examples/hello', '--', 'null'], { env: ownState() });
    expect([end.status, end.stdout]).toEqual([20, '']);
    expect(end.stderr).toMatch(new RegExp(`^trundle run: --output-dir "${out}" cannot be used: ENOENT: .*, mkdir '`));
  });

  test('is said to be none for what a testbed needs for a while', async () => {
    const end = await cli(['exec', 'true', '--', 'null'], { env: { ...ownState(), TMPDIR: '/proc/nope' } });
    expect(end.status).toBe(16);
    expect(end.stderr).toContain("ENOENT: no such file or directory, mkdir '/proc/nope/trundle-");
    expect(end.stderr).toContain('set TMPDIR to a directory that is there and can be written to; now it is /proc/nope');
  });

  test('is said to be none for a trace that was asked for there', async () => {
    const words = ['exec', '--trace', '/proc/nope/trace', 'true', '--', 'null'];
    const end = await cli(words, { env: ownState() });
    expect(end.status).toBe(20);
    expect(end.stderr).toContain('Name another directory with --trace DIR.');
  });
});

test('a place for the output that goes meanwhile is told as such, and not as a fault of Trundle', async () => {
  const place = workplace();
  const out = join(place, 'out');
  const source = makePackage(place, { tests: { first: `rm -r '${out}'; echo to nowhere`, second: 'true' } });
  const end = await cli(['run', '-o', out, source, '--', 'null'], { env: ownState() });
  expect(end.status).toBe(20);
  expect(end.stderr).toMatch(/wrong usage while [^:]+: .*ENOENT/);
  expect(end.stderr).not.toMatch(/fault of Trundle|internal.error/);
});

test('a directory that is gone is said to be no place to start in', () => {
  const script = 'cd "$1"; rmdir "$1"; exec "$2" "$3" exec true -- null';
  const words = [join(workplace(), 'gone'), process.execPath, join(root, 'dist/bin.cjs')];
  mkdirSync(words[0] ?? '');
  const end = spawnSync('sh', ['-ec', script, 'sh', ...words], {
    encoding: 'utf8',
    env: { ...process.env, ...ownState() },
  });
  expect(end).toMatchObject({ status: 20, stdout: '' });
  expect(end.stderr).toMatch(
    /^trundle exec: the directory in which it was started is gone\n +Start it in one that is there\.\n$/,
  );
});

describeWith(['tmpfs', 'root'], 'a file system that is read-only', () => {
  /** Gone at the end of the test. */
  function readOnly(): string {
    const place = join(workplace(), 'read-only');
    mkdirSync(place);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'none', place]);
    onTestFinished(() => void execFileSync('umount', ['--lazy', place]));
    return place;
  }

  test('is named as such where the state should be', async () => {
    const end = await cli(['exec', 'true', '--', 'null'], { env: { XDG_STATE_HOME: join(readOnly(), 'state') } });
    expect(end.status).toBe(20);
    expect(end.stderr).toContain('EROFS: read-only file system');
    expect(end.stderr).toContain('set XDG_STATE_HOME');
  });

  test('is named as such where the results should be', async () => {
    const words = ['run', '-o', join(readOnly(), 'a/b'), 'examples/hello', '--', 'null'];
    const end = await cli(words, { env: ownState() });
    expect(end.status).toBe(20);
    expect(end.stderr).toContain('EROFS: read-only file system');
  });

  test('does not keep a run from going on that has its trace elsewhere, but that is told', async () => {
    const trace = join(workplace(), 'trace');
    const words = ['exec', '--trace', trace, 'true', '--', 'null'];
    const end = await cli(words, { env: { XDG_STATE_HOME: join(readOnly(), 'state') } });
    expect(end.status).toBe(0);
    expect(end.stderr).toContain('this run cannot be registered');
    expect(end.stderr).toContain('EROFS');
    expect(end.stderr).toContain(`trundle reap ${trace}`);
  });
});

describe('an output directory', () => {
  test('that holds something is refused, and nothing in it is touched', async () => {
    const place = workplace();
    const out = join(place, 'out');
    mkdirSync(join(out, 'old'), { recursive: true });
    const source = makePackage(place, { tests: { fine: 'true' } });
    const state = ownState();
    const end = await cli(['run', '-o', out, source, '--', 'null'], { env: state });
    expect([end.status, end.stdout]).toEqual([20, '']);
    expect(end.stderr).toBe(`trundle run: --output-dir "${out}" is not empty: name another one, or empty it first\n`);
    expect(readdirSync(out)).toEqual(['old']);
    expect(readdirSync(state.XDG_STATE_HOME)).toEqual([]);
  });

  test('is made with those above it', async () => {
    const place = workplace();
    const source = makePackage(place, { tests: { fine: 'true' } });
    const out = join(place, 'a/b/out');
    expect((await cli(['run', '-q', '-o', out, source, '--', 'null'], { env: ownState() })).status).toBe(0);
    expect(readdirSync(out)).toContain('summary');
  });
});
