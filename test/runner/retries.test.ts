import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BackendError } from '../../src/backends/contract.ts';
import { createMachines } from '../../src/machines/index.ts';
import type { Run } from '../../src/testbed/index.ts';
import { readTrace, replay } from '../../src/trace/index.ts';
import { workplace } from '../support/workplace.ts';
import { type FaultyHere, faultyHere, stopIn } from './support/faultyHere.ts';
import { makePackage } from './support/packages.ts';
import { runHere } from './support/runHere.ts';

/** `first` waits for the power to go, unless that is over. */
function source(place: string): string {
  return makePackage(place, 'pkg', {
    control: 'Tests: first\nDepends:\n\nTests: second\nDepends:\n',
    tests: {
      first: `#!/bin/sh\necho begins\n[ -e ${join(place, 'over')} ] || exec sleep 1000\necho ends\n`,
      second: '#!/bin/sh\necho second >"$AUTOPKGTEST_ARTIFACTS/kept"\n',
    },
  });
}

/** Stops the testbed of `first`, once, and then lets it go on. */
function stopFirst(place: string, host: FaultyHere): (run: Run) => void {
  return (run) => {
    stopIn(['first'], host)(run);
    run.events$.subscribe(({ type }) => {
      if (type === 'testbed.failed') writeFileSync(join(place, 'over'), '');
    });
  };
}

const outcomesOf = (outcomes: readonly { test: string; outcome: string }[]) =>
  outcomes.map((each) => `${each.test} ${each.outcome}`);

describe('a testbed that fails of itself', () => {
  test('is replaced in the middle of a test, as often as was asked for, and the trace proves it', async () => {
    const place = workplace();
    const host = await faultyHere();
    const [outputDir, trace] = [join(place, 'out'), join(place, 'trace')];
    const { report, stderr } = await runHere(
      { ...{ source: source(place), outputDir, trace }, retries: 1, onRun: stopFirst(place, host) },
      host.backend,
    );
    expect(report).toMatchObject({ exitCode: 0, cause: null });
    expect(outcomesOf(report.outcomes)).toEqual(['first pass', 'second pass']);
    expect(stderr()).toContain('going on in another testbed (retry 1 of 1)');
    const read = (name: string) => readFileSync(join(outputDir, name), 'utf8');
    expect(JSON.parse(read('results.json'))).toMatchObject({ retries: 1, exitCode: 0 });
    expect(read('first-stdout')).toBe('begins\nends\n');
    expect(read('artifacts/second/kept')).toBe('second\n');
    expect(host.done).toEqual(['create tb1', 'create tb2']);
    expect(await replay(await readTrace(trace), { createMachines })).toMatchObject({ same: true });
  });

  test('is the cause once there are no retries left, and without any', async () => {
    for (const [retries, testbeds] of [
      [0, 1],
      [2, 3],
    ] as const) {
      const place = workplace();
      const host = await faultyHere();
      const forever = makePackage(place, 'pkg', {
        control: 'Tests: one\nDepends:\n',
        tests: { one: '#!/bin/sh\nexec sleep 1000\n' },
      });
      const onRun = stopIn(['one', 'one', 'one'], host);
      const { report } = await runHere({ source: forever, retries, onRun }, host.backend);
      expect(report).toMatchObject({ exitCode: 16, cause: { class: 'testbed-died' }, outcomes: [] });
      expect(host.done).toHaveLength(testbeds);
    }
  });

  test('is replaced where it could not be made or put back', async () => {
    const place = workplace();
    const fails = ['create tb1', 'reset tb2'];
    const host = await faultyHere({
      capabilities: ['revert'],
      instead: (verb, testbed) =>
        fails.includes(`${verb} ${testbed}`) ? Promise.reject(new BackendError('busy', 'try later')) : null,
    });
    const { report } = await runHere(
      { source: makePackage(place, 'pkg', QUICK), retries: 2, outputDir: join(place, 'out') },
      host.backend,
    );
    expect(report).toMatchObject({ exitCode: 0, cause: null });
    expect(host.done).toEqual(['create tb1', 'create tb2', 'reset tb2', 'create tb3']);
  });

  test('is replaced where it is one of several', async () => {
    const place = workplace();
    const host = await faultyHere();
    const { report } = await runHere(
      { source: source(place), retries: 1, testbeds: 2, onRun: stopFirst(place, host) },
      host.backend,
    );
    expect(report).toMatchObject({ exitCode: 0, cause: null });
    expect(outcomesOf(report.outcomes)).toEqual(['first pass', 'second pass']);
  });
});

const QUICK = { control: 'Tests: one two\nDepends:\n', tests: { one: '#!/bin/sh\n', two: '#!/bin/sh\n' } };

test('what a test does, and what was asked for wrongly, is never tried again', async () => {
  const place = workplace();
  const host = await faultyHere();
  const failing = makePackage(place, 'pkg', {
    control: 'Tests: one\nDepends:\n',
    tests: { one: '#!/bin/sh\nexit 1\n' },
  });
  expect((await runHere({ source: failing, retries: 3 }, host.backend)).report.exitCode).toBe(4);
  const nobody = await runHere({ source: failing, retries: 3, user: 'nobody-of-this-name' }, host.backend);
  expect(nobody.report.exitCode).toBe(20);
  const setup = await runHere({ source: failing, retries: 3, setupCommands: ['exit 1'] }, host.backend);
  expect(setup.report.exitCode).toBe(20);
  expect(host.done).toHaveLength(3);
  await expect(runHere({ source: failing, retries: -1 })).rejects.toThrow('runTests: options.retries must be');
});
