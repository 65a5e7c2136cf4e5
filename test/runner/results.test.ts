import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { RunResults, RunTestsOptions } from '../../src/index.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { faultyHere } from './support/faultyHere.ts';
import { makePackage, type PackageSpec } from './support/packages.ts';
import { runHere } from './support/runHere.ts';

const SCHEMA = fileURLToPath(new URL('../fixtures/junit.xsd', import.meta.url));

const MIXED: PackageSpec = {
  control: [
    'Tests: good, bad, "odd"&<name>\nDepends:\n',
    'Tests: noisy, shaky\nDepends:\nRestrictions: flaky\n',
    'Tests: never\nDepends:\nRestrictions: needs-internet\n',
  ].join('\n'),
  tests: {
    good: ':\n',
    bad: 'exit 3\n',
    '"odd"&<name>': `printf 'a\\033[1m <b> & "c" \\360\\237\\231\\202\\n' >&2\n`,
    noisy: 'echo oops >&2\n',
    shaky: 'kill -SEGV $$\n',
  },
};

async function reported(
  spec: PackageSpec,
  options: Partial<RunTestsOptions> = {},
  backend?: Parameters<typeof runHere>[1],
) {
  const place = workplace();
  const source = makePackage(place, 'pkg', spec);
  const [outputDir, junitFile] = [join(place, 'out'), join(place, 'junit.xml')];
  const run = await runHere({ source, outputDir, junitFile, internet: false, ...options }, backend);
  const results: RunResults = JSON.parse(readFileSync(join(outputDir, 'results.json'), 'utf8'));
  return { ...run, place, source, results, junitFile, junit: readFileSync(junitFile, 'utf8') };
}

describe('results.json', () => {
  test('has every test with how it ended and why, and the run', async () => {
    const { report, results, source } = await reported(MIXED, { trace: join(workplace(), 't') });
    expect(results).toMatchObject({
      version: 1,
      sources: [source],
      package: { name: 'pkg', version: '1.0-1' },
      backend: ['null'],
      exitCode: 6,
      cause: report.cause,
      trace: report.trace,
    });
    const told = results.tests.map(({ test: name, outcome, reason, cause }) => [name, outcome, reason, cause?.class]);
    expect(told).toEqual([
      ['good', 'pass', '', undefined],
      ['bad', 'fail', 'non-zero exit status 3', 'test-failed'],
      ['"odd"&<name>', 'fail', 'stderr: a\u001b[1m <b> & "c" 🙂', 'test-wrote-stderr'],
      ['noisy', 'flaky', 'stderr: oops', 'test-wrote-stderr'],
      ['shaky', 'flaky', 'non-zero exit status 139', 'test-signalled'],
      ['never', 'skip', 'Test restriction "needs-internet" requires testbed capability "has_internet"', undefined],
    ]);
    const [good, bad] = results.tests;
    expect(good).toMatchObject({ result: { kind: 'exited', status: 0 }, stderrBytes: 0, leaked: false, reboots: 0 });
    expect(bad?.cause).toMatchObject({ phase: 'exec', doing: 'running test bad', evidence: [expect.any(Number)] });
    expect(results.tests.at(-1)).toMatchObject({ seconds: null, result: null, restrictions: ['needs-internet'] });
  });

  test('tells of a testbed that failed, and of tests that came to no verdict', async () => {
    const { results, junit } = await reported(
      { control: 'Tests: a\nDepends:\n', tests: { a: 'exec sleep 600\n' } },
      { timeout: 2 },
    );
    expect(results).toMatchObject({ exitCode: 16, cause: { class: 'deadline-expired' } });
    expect(results.tests).toMatchObject([{ test: 'a', outcome: null }]);
    expect(junit).toContain('name="testbed"');
  });

  test('tells of a test that took too long', async () => {
    const slow = {
      control: 'Tests: a\nDepends:\nRestrictions: superficial\n',
      tests: { a: 'exec sleep 600\n' },
    };
    const { results, stdout } = await reported(slow, { timeouts: { test: 2 }, annotations: true });
    expect(results.tests).toMatchObject([{ outcome: 'fail', reason: 'timed out', cause: { class: 'test-timed-out' } }]);
    expect(stdout()).toContain('::error title=test a%3A FAIL (superficial)::timed out\n');
  });

  test('has no secret', async () => {
    const { results, junit } = await reported(
      { control: 'Tests: a\nDepends:\n', tests: { a: 'echo "got $TOKEN" >&2\n' } },
      { env: ['TOKEN=s3cr3t-s3cr3t'], secrets: ['s3cr3t-s3cr3t'] },
    );
    expect(results.tests[0]?.reason).toBe('stderr: got [redacted]');
    expect(JSON.stringify(results) + junit).not.toContain('s3cr3t-s3cr3t');
  });

  test('goes where it was asked for, and nowhere without a directory', async () => {
    const place = workplace();
    const source = makePackage(place, 'pkg', { control: 'Tests: a\nDepends:\n', tests: { a: ':\n' } });
    const resultsFile = join(place, 'mine.json');
    await runHere({ source, resultsFile, outputDir: join(place, 'out') });
    expect(JSON.parse(readFileSync(resultsFile, 'utf8'))).toMatchObject({ exitCode: 0, tests: [{ outcome: 'pass' }] });
    expect(existsSync(join(place, 'out/results.json'))).toBe(false);
    await expect(runHere({ source, junitFile: join(place, 'gone/junit.xml') })).rejects.toThrow('--junit');
  });
});

describeWith(['xmllint'], 'the JUnit report', () => {
  /** The value of an XPath expression. */
  const ask = (file: string, expression: string) =>
    execFileSync('xmllint', ['--xpath', expression, file], { encoding: 'utf8' }).trim();
  const mustBeValid = (file: string) =>
    execFileSync('xmllint', ['--noout', '--schema', SCHEMA, file], { stdio: ['ignore', 'ignore', 'pipe'] });

  test('is valid, whatever tests are called and print', async () => {
    const { junitFile } = await reported(MIXED);
    mustBeValid(junitFile);
    const counts = ['tests', 'failures', 'errors', 'skipped'].map((name) => `string(//testsuite/@${name})`);
    expect(counts.map((expression) => ask(junitFile, expression))).toEqual(['6', '2', '0', '3']);
    expect(ask(junitFile, 'string(//testcase[@name=\'"odd"&<name>\']/failure/@message)')).toBe(
      'stderr: a\uFFFD[1m <b> & "c" 🙂',
    );
    expect(ask(junitFile, "string(//testcase[@name='shaky']/skipped/@message)")).toBe(
      'flaky: non-zero exit status 139',
    );
  });

  test('is valid where nothing ran, and then has an error', async () => {
    const { junitFile } = await reported({ control: 'Tests:\n' });
    mustBeValid(junitFile);
    expect(ask(junitFile, 'string(//error/@message)')).toContain('"Tests" field is empty');
  });

  test('is valid where there is nothing to test', async () => {
    const { junitFile } = await reported({});
    mustBeValid(junitFile);
    expect(ask(junitFile, 'string(//testsuite/@tests)')).toBe('0');
  });
});

describe('annotations', () => {
  test('are not made by what tests print', async () => {
    const { stdout } = await reported(
      { control: 'Tests: sly\nDepends:\n', tests: { sly: 'echo ::error::sly\nexit 1\n' } },
      { annotations: true },
    );
    const lines = stdout().split('\n');
    const token = /^::stop-commands::(\S+)$/.exec(lines[0] ?? '')?.[1];
    expect(token).toMatch(/^[0-9a-f-]{36}$/);
    const [stopped, theirs, again, ours] = [
      `::stop-commands::${token}`,
      '::error::sly',
      `::${token}::`,
      '::error title=',
    ];
    const order = [stopped, theirs, again, ours].map((word) => lines.findIndex((line) => line.startsWith(word)));
    expect(order).not.toContain(-1);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  test('begin a line of their own where a testbed dies in the middle of one', async () => {
    const host = await faultyHere();
    const { stdout } = await reported(
      { control: 'Tests: cut\nDepends:\n', tests: { cut: 'printf partial\nexec sleep 1000\n' } },
      {
        annotations: true,
        onRun(run) {
          let begun = false;
          run.events$.subscribe((event) => {
            begun ||= event.type === 'test.started';
            if (begun && event.type === 'command.output' && event.bytes === 'partial'.length) host.stop('tb1');
          });
        },
      },
      host.backend,
    );
    const lines = stdout().split('\n');
    const token = /^::stop-commands::(\S+)$/.exec(lines[0] ?? '')?.[1];
    expect(lines).toContain('partial');
    expect(lines).toContain(`::${token}::`);
    expect(lines.at(-2)).toMatch(/^::error title=/);
  });

  test('are commands of a workflow, one a line', async () => {
    const { stdout } = await reported(MIXED, { annotations: true });
    const lines = stdout()
      .split('\n')
      .filter((line) => /^::(error|warning|notice) /.test(line));
    expect(lines).toEqual([
      '::error title=test bad%3A FAIL::non-zero exit status 3',
      '::error title=test "odd"&<name>%3A FAIL::stderr: a\u001b[1m <b> & "c" 🙂',
      '::warning title=test noisy%3A FLAKY::stderr: oops',
      '::warning title=test shaky%3A FLAKY::non-zero exit status 139',
      '::notice title=test never%3A SKIP::Test restriction "needs-internet" requires testbed capability "has_internet"',
    ]);
  });

  test('tell why there was no verdict at all', async () => {
    const bad = await reported({ control: 'Tests:\n' }, { annotations: true });
    expect(bad.stdout()).toContain('::error title=erroneous package::InvalidControl test *: "Tests" field is empty');
    const failed = await reported(MIXED, { annotations: true, setupCommands: ['exit 1'] });
    expect(failed.stdout()).toContain('::error title=trundle%3A exit code 20::setup-failed while running the setup');
  });
});
