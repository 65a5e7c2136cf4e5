import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunReport, RunTestsOptions } from '../../src/index.ts';
import type { Run } from '../../src/testbed/index.ts';
import { makePackage } from '../runner/support/packages.ts';
import { runHere } from '../runner/support/runHere.ts';
import { EventLog } from '../support/eventLog.ts';
import { makeLifeline } from '../support/lifeline.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { eventsOf } from './support/traceOf.ts';

const CONTROL = 'Tests: first second\nDepends:\n\nTests: last\nDepends:\nRestrictions: needs-internet\n';

/** Runs a package whose second test is given; follows the run. */
async function run(
  second: string,
  options: Partial<RunTestsOptions> = {},
): Promise<{ report: RunReport; log: EventLog; trace: string; stdout: string; outputDir: string }> {
  const place = workplace();
  const source = makePackage(place, 'pkg', {
    control: CONTROL,
    tests: { first: '#!/bin/sh\necho one\n', second, last: '#!/bin/sh\necho three\n' },
  });
  let log: EventLog | undefined;
  const trace = join(place, 'trace');
  const outputDir = join(place, 'out');
  const { report, stdout } = await runHere({
    source,
    trace,
    outputDir,
    internet: false,
    ...options,
    onRun: (begun: Run) => {
      log = new EventLog(begun.events$);
      options.onRun?.(begun);
    },
  });
  if (log === undefined) throw new Error('onRun was not called');
  return { report, log, trace, stdout: stdout(), outputDir };
}

test('gives a report of every test, and writes only where it was told to', async () => {
  const { report, log, trace, stdout, outputDir } = await run('#!/bin/sh\nexit 3\n');
  // A test failed, and one was skipped (autopkgtest(1), EXIT STATUS).
  expect(report).toMatchObject({ exitCode: 6, trace, cause: { class: 'test-failed', doing: 'running test second' } });
  expect([...report.outcomes].sort((a, b) => (a.test < b.test ? -1 : 1))).toEqual([
    { test: 'first', outcome: 'pass', reason: '' },
    { test: 'last', outcome: 'skip', reason: expect.stringContaining('needs-internet') },
    { test: 'second', outcome: 'fail', reason: 'non-zero exit status 3' },
  ]);
  expect(log.events[0]).toMatchObject({ type: 'run.started', seq: 1, tests: true });
  expect(JSON.parse(JSON.stringify(log.events))).toEqual(await eventsOf(trace));
  expect(stdout).toContain('first');
  expect(readFileSync(join(outputDir, 'summary'), 'utf8')).toMatch(/^second +FAIL/m);
});

test('keeps no trace and no files where none is asked for', async () => {
  const place = workplace();
  const source = makePackage(place, 'pkg', { control: 'Tests: t\nDepends:\n', tests: { t: '#!/bin/sh\n' } });
  const { report } = await runHere({ source });
  expect(report).toMatchObject({ exitCode: 0, trace: null, outcomes: [{ test: 't', outcome: 'pass' }] });
  expect(existsSync(join(place, 'trace'))).toBe(false);
});

test('its signal ends the test that runs, with all its processes, and the report tells who wanted it', async () => {
  const aborter = new AbortController();
  const lifeline = forThisTest(makeLifeline(workplace()));
  void lifeline.held.then(() => aborter.abort(new Error('enough for today')));
  const { report, log } = await run(`#!/bin/sh\n${lifeline.linger}\n`, { signal: aborter.signal });
  await lifeline.released;
  expect(report.cause).toMatchObject({ class: 'operator-interrupted' });
  expect(report.exitCode).toBe(130);
  expect(report.outcomes.filter(({ outcome }) => outcome === 'pass').map((each) => each.test)).toEqual(['first']);
  expect(log.all('testbed.removed')).toMatchObject([{ leftovers: [] }]);
  expect(log.events.at(-1)?.type).toBe('run.concluded');
});

test('its signal counts as the one that its reason names', async () => {
  const lifeline = forThisTest(makeLifeline(workplace()));
  const aborter = new AbortController();
  void lifeline.held.then(() => aborter.abort('SIGTERM'));
  const { report } = await run(`#!/bin/sh\n${lifeline.linger}\n`, { signal: aborter.signal });
  expect(report.exitCode).toBe(143);
});

test('a signal that was aborted before lets nothing begin', async () => {
  const { report, log } = await run('#!/bin/sh\n', { signal: AbortSignal.abort(new Error('never')) });
  expect(report).toMatchObject({ cause: { class: 'operator-interrupted' }, outcomes: [] });
  expect(log.all('command.requested')).toEqual([]);
});
