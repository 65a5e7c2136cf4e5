import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseEvent } from '../../src/events/parseEvent.ts';
import { describeWith } from '../support/needs.ts';
import { makePackage } from '../support/packages.ts';
import { workplace } from '../support/workplace.ts';
import { Cli, cli, eventsIn, ownState } from './support/cli.ts';

describe('trundle run', () => {
  test('tests the example package and prints its verdict', async () => {
    const { status, stdout, stderr } = await cli(['run', 'examples/hello', '--', 'null'], { env: ownState() });
    expect(status).toBe(0);
    expect(stdout).toContain('greets               PASS\n');
    expect(stdout).toContain('greets-by-name       PASS (superficial)\n');
    expect(stderr).toMatch(/^autopkgtest \[\d\d:\d\d:\d\d\]: @{20} summary$/m);
    expect(stderr).not.toContain('\u001b');
    const [gone, look] = stderr.trimEnd().split('\n').slice(-2);
    expect(gone).toBe('trundle: tb1: the testbed is gone');
    expect(look).toMatch(/^trundle: the trace is in \/.*\/trundle\/runs\/(\w{10}); trundle explain \1 tells it$/);
  });

  test('prints only results and what tests print with -q', async () => {
    const source = makePackage(workplace(), { tests: { talks: 'echo out' } });
    const end = await cli(['run', '-q', source, '--', 'null'], { env: ownState() });
    expect(end).toEqual({ status: 0, signal: null, stdout: 'out\ntalks                PASS\n', stderr: '' });
  });

  test('ends a failed run with what failed, where the trace is, and how to look further', async () => {
    const source = makePackage(workplace(), { tests: { good: 'true', bad: 'exit 3' } });
    const { status, stderr } = await cli(['run', '-q', source, '--', 'null'], { env: ownState() });
    expect(status).toBe(4);
    expect(
      stderr
        .replaceAll(/[0-9a-f]{10}/g, 'ID')
        .replaceAll(/\d+\.\d{3} s/g, 'T')
        .replace(/trace {4}.*\//, 'trace    DIR/'),
    ).toBe(
      [
        'trundle: exit code 4. 1 of 2 tests failed: bad. A test ended with an exit status other than 0.',
        '  while    running test bad: non-zero exit status 3',
        '  proof    T  tb1: test bad exited with status 3',
        '  trace    DIR/ID',
        '  more     trundle explain ID',
        '',
      ].join('\n'),
    );
  });

  test('leaves log, summary, artifacts and trace in the output directory', async () => {
    const place = workplace();
    const source = makePackage(place, { tests: { keeps: 'echo x >"$AUTOPKGTEST_ARTIFACTS/file"' } });
    const out = join(place, 'out');
    const { status } = await cli(['run', '-o', out, source, '--', 'null'], { env: ownState() });
    expect(status).toBe(0);
    expect(readFileSync(join(out, 'summary'), 'utf8')).toBe('keeps                PASS\n');
    expect(readFileSync(join(out, 'log'), 'utf8')).toContain('command line: trundle run -o');
    expect(existsSync(join(out, 'artifacts/keeps/file'))).toBe(true);
    expect(existsSync(join(out, 'trace/events.jsonl'))).toBe(true);
  });

  test('tests a package, and copies a directory, that a symbolic link names', async () => {
    const place = workplace();
    const there = join(place, 'there');
    const source = makePackage(place, { tests: { reads: `cat ${there}/debian/tests/reads | head -c 10` } });
    const link = join(place, 'link');
    symlinkSync(source, link);
    const end = await cli(['run', '-q', `--copy=${link}:${there}`, link, '--', 'null'], { env: ownState() });
    expect(end).toEqual({ status: 0, signal: null, stdout: '#!/bin/sh\nreads                PASS\n', stderr: '' });
  });

  test('gives tests the variables that it is given', async () => {
    const source = makePackage(workplace(), { tests: { env: 'echo "$A-$B"' } });
    const words = ['run', '-q', '--env', 'A=1', '--env=B=x y', source, '--', 'null'];
    expect((await cli(words, { env: ownState() })).stdout).toContain('1-x y\n');
  });

  test('leaves out what it is told to', async () => {
    const source = makePackage(workplace(), { tests: { one: 'true', two: 'true', three: 'true' } });
    const run = (...words: string[]) => cli(['run', '-q', ...words, source, '--', 'null'], { env: ownState() });
    const [only, without] = await Promise.all([run('--test-name', 'two'), run('--skip-test', 'two')]);
    expect(only.stdout).toBe('two                  PASS\n');
    expect(without.stdout).toBe('one                  PASS\nthree                PASS\n');
  });

  test('does not take for a success what it could not print', async () => {
    const source = makePackage(workplace(), { tests: { fine: 'true' } });
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = await cli(['run', '-q', source, '--', 'null'], { env: ownState(), stdout: full });
    closeSync(full);
    expect(status).toBe(20);
    expect(stderr).toContain('trundle: cannot write to standard output: ENOSPC');
  });

  test('warns of a shell that nobody can use, and goes on', async () => {
    const source = makePackage(workplace(), { tests: { bad: 'false' } });
    const { status, stderr } = await cli(['run', '--shell-fail', source, '--', 'null'], { env: ownState() });
    expect(status).toBe(4);
    expect(stderr).toContain('WARNING: no shell: standard input is not a terminal');
  });
});

describeWith(['root'], 'trundle run --user', () => {
  test('names a user whom the testbed does not know, before it copies anything', async () => {
    const source = makePackage(workplace(), { tests: { fine: 'true' } });
    const { status, stdout, stderr } = await cli(['run', '--json', '-u', 'nosuch', source, '--', 'null'], {
      env: ownState(),
    });
    expect(status).toBe(20);
    expect(stderr).toContain(
      'ERROR: wrong usage while choosing user nosuch for the tests: testbed tb1 has no user nosuch',
    );
    expect(stderr).toContain('trundle: exit code 20. What was asked for cannot be done as it was asked for.');
    const types = eventsIn(stdout).map(({ type }) => type);
    expect(types).not.toContain('copy.started');
    expect(types).toContain('testbed.removed');
  });

  test('says who the ordinary user of the testbed is', async () => {
    const source = makePackage(workplace(), { tests: { fine: 'true' } });
    const words = ['run', '--user=nosuch', source, '--', 'null', '--normal-user', 'nobody'];
    expect((await cli(words, { env: ownState() })).stderr).toContain(
      'testbed tb1 has no user nosuch; its own ordinary user is nobody',
    );
  });
});

describe('trundle run --json', () => {
  test('prints every event as a line, in order, and nothing else on stdout', async () => {
    const source = makePackage(workplace(), { tests: { talks: 'echo out; echo err >&2', fine: 'true' } });
    const state = ownState();
    const { status, stdout, stderr } = await cli(['run', '--json', source, '--', 'null'], { env: state });
    expect(status).toBe(4);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => parseEvent(JSON.parse(line)));
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events[0]?.type).toBe('run.started');
    expect(events.at(-1)).toMatchObject({ type: 'run.concluded', exitCode: 4, cause: { class: 'test-wrote-stderr' } });
    expect(stderr).toContain('out\n');
    expect(stderr).toContain('talks                FAIL stderr: err');
    const [run] = readdirSync(join(state.XDG_STATE_HOME, 'trundle/runs'));
    const recorded = readFileSync(join(state.XDG_STATE_HOME, 'trundle/runs', run ?? '', 'events.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter((line) => 'seq' in line);
    expect(recorded).toEqual(events);
  });

  test('goes on without its reader, to the same verdict', async () => {
    const source = makePackage(workplace(), { tests: { waits: 'while [ ! -e "$GATE" ]; do sleep 0.05; done' } });
    const gate = join(workplace(), 'gate');
    const running = new Cli(['run', '--json', '--env', `GATE=${gate}`, source, '--', 'null'], { env: ownState() });
    await running.event('test.started');
    running.process.stdout?.destroy();
    writeFileSync(gate, '');
    expect(await running.ended).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('waits                PASS'),
    });
  });
});

describeWith(['dpkg-source'], 'a bare word that apt does not know', () => {
  test('is told apart from the directory of that name', async () => {
    const place = workplace();
    const source = makePackage(place, { tests: { smoke: 'true' } });
    renameSync(source, join(place, 'no-such-source'));
    const { status, stdout } = await cli(['run', 'no-such-source', '--', 'null'], { env: ownState(), cwd: place });
    expect(status).toBe(12);
    expect(stdout).toMatch(
      /no source package no-such-source .*; the directory of that name is meant by \.\/no-such-source/,
    );
  });
});

describe('bad input to trundle run', () => {
  test.each([
    [['examples/hello', 'null'], 'perhaps you mean: trundle run examples/hello -- null'],
    [['--', 'null'], 'the current directory is no source tree (it has no debian/control)'],
    [['examples/none', '--', 'null'], 'examples/none is not a valid test package: it does not exist'],
    [['src/cli', '--', 'null'], 'it has neither debian/control nor debian/tests/control'],
    [['x.dsc', '--', 'null'], 'x.dsc does not exist (it would be a source package)'],
    [['examples/hello', './x.deb', '--', 'null'], './x.deb does not exist (it would be a binary package)'],
    [['examples/hello', 'examples/none', '--', 'null'], 'examples/none is not a valid test package: it does not exist'],
    [['examples/hello', '@nowhere.cfg'], 'the file of arguments nowhere.cfg cannot be read: ENOENT'],
    [['--test-name=a/smoke', 'examples/hello', '--', 'null'], '--test-name a/smoke: expected TEST or PACKAGE/TEST'],
    [['--add-apt-source=ppa:a', 'examples/hello', '--', 'null'], '--add-apt-source ppa:a: expected ppa:OWNER/NAME'],
    [['-o', 'src', 'examples/hello', '--', 'null'], '--output-dir "src" is not empty'],
    [
      ['-l', '/nonexistent/log', 'examples/hello', '--', 'null'],
      '--log-file "/nonexistent/log" cannot be written: ENOENT',
    ],
    [['--summary-file', 'src', 'examples/hello', '--', 'null'], '--summary-file "src" cannot be written: EISDIR'],
    [['--timeout-test=soon', 'examples/hello', '--', 'null'], 'Expected a number of seconds above 0'],
  ])('%j exits with 20 and says what is wrong', async (words, problem) => {
    const { status, stdout, stderr } = await cli(['run', ...words], { env: ownState() });
    expect([status, stdout]).toEqual([20, '']);
    expect(stderr).toMatch(/^trundle run: /);
    expect(stderr).toContain(problem);
    expect(stderr).not.toContain('    at ');
  });

  test('leaves no trace of a run that never was', async () => {
    const state = ownState();
    await cli(['run', 'examples/none', '--', 'null'], { env: state });
    expect(existsSync(join(state.XDG_STATE_HOME, 'trundle'))).toBe(false);
  });
});

test('several runs at once do not disturb each other', async () => {
  const source = makePackage(workplace(), { tests: { one: 'echo $$' } });
  const env = ownState();
  const ends = await Promise.all([1, 2, 3].map(() => cli(['run', '--json', source, '--', 'null'], { env })));
  expect(ends.map(({ status }) => status)).toEqual([0, 0, 0]);
  expect(new Set(ends.map(({ stdout }) => eventsIn(stdout)[0]?.run)).size).toBe(3);
});
