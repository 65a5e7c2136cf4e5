import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseEvent } from '../../src/events/parseEvent.ts';
import { describeWith } from '../support/needs.ts';
import { makePackage } from '../support/packages.ts';
import { workplace } from '../support/workplace.ts';
import { type CliEnd, cli, ownState } from './support/cli.ts';
import { Terminal } from './support/terminal.ts';

let place = '';
let env: Record<string, string> = {};
let run: CliEnd;

/** One run, with a debug log, for all tests of this file to look at. */
beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'trundle-test-'));
  env = { XDG_STATE_HOME: join(place, 'state'), TOKEN: 'opensesame' };
  const source = makePackage(place, { tests: { good: 'echo "printed by a test"; echo "$TOKEN"' } });
  const words = ['run', '-q', '--json', '--debug', '--secret-env', 'TOKEN', source, '--', 'null'];
  run = await cli(words, { env, outlives: true });
});

afterAll(() => rmSync(place, { recursive: true, force: true }));

describe('--json', () => {
  test('has trundle run print events, each of which is what the schema says', () => {
    const events = run.stdout
      .trimEnd()
      .split('\n')
      .map((line) => parseEvent(JSON.parse(line)));
    expect(events.at(-1)?.type).toBe('run.concluded');
  });

  test.each([
    [['explain', '--last', '--json'], 0, ['run', 'trace', 'exitCode']],
    [['replay', '--last', '--json'], 0, ['run', 'trace', 'same']],
    [['reap', '--json'], 0, ['runs']],
    [['backends', '--json'], 0, ['backends']],
    [['backends', 'null', '--json'], 0, ['name', 'availability']],
    [['exec', '--json', 'echo x; exit 3', '--', 'null'], 3, ['run', 'trace', 'exitCode', 'result', 'stdout', 'cause']],
    [['exec', '--json', 'true', '--', 'null', '--user', 'no such user'], 16, ['run', 'trace', 'exitCode', 'cause']],
  ])('has %j print one document', async (words, status, keys) => {
    const end = await cli(words, { env });
    expect(end.status).toBe(status);
    const document = JSON.parse(end.stdout) as Record<string, unknown>;
    expect(Object.keys(document)).toEqual(expect.arrayContaining([...keys]));
    expect(end.stdout).toBe(`${JSON.stringify(document, null, 2)}\n`);
  });
});

describe('--debug', () => {
  test('logs on stderr, as lines of JSON, all that happens, but nothing that is printed and no secret', () => {
    const lines = run.stderr.trimEnd().split('\n');
    // What a test prints goes to stderr with --json; it is the test's own.
    const log = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter((line) => !line.startsWith('{'))).toEqual(
      expect.arrayContaining(['printed by a test', 'opensesame', 'good                 PASS']),
    );
    expect(log.map(({ msg }) => msg)).toEqual(expect.arrayContaining(['run.started', 'decision', 'run.concluded']));
    for (const entry of log)
      expect(entry).toMatchObject({ level: 20, time: expect.any(Number), msg: expect.any(String) });
    expect(JSON.stringify(log)).not.toContain('opensesame');
    expect(log.filter(({ msg }) => msg === 'command.output')).not.toEqual([]);
    expect(JSON.stringify(log.filter(({ msg }) => msg === 'command.output'))).not.toContain('printed by');
  });
});

describeWith(['node-pty'], 'on a terminal', () => {
  test('--debug is made for a person', async () => {
    const terminal = new Terminal(['exec', '--debug', 'true', '--', 'null'], ownState());
    expect(await terminal.ended).toMatchObject({ status: 0 });
    expect(terminal.output).toMatch(/\d\d:\d\d:\d\d\.\d{3} testbed\.readied /);
    expect(terminal.output).not.toContain('"level"');
  });

  test('--shell opens a shell after each test, in its tree and with its variables, and the run goes on', async () => {
    const source = makePackage(workplace(), { tests: { one: 'true', two: 'true' } });
    const terminal = new Terminal(['run', '--shell', '--env', 'OURS=yes', source, '--', 'null'], ownState());
    for (const name of ['one', 'two']) {
      await terminal.shows(new RegExp(`${name} +PASS[^]*running shell`));
      terminal.type(`echo "$OURS-${name}-"$(basename "$PWD")-$(basename "$AUTOPKGTEST_ARTIFACTS"); exit\r`);
      await terminal.shows(`yes-${name}-tree-${name}-artifacts`);
    }
    expect(await terminal.ended).toEqual({ status: 0, signal: 0 });
  });

  test.each([16, 20, 60])('of %i columns nothing that comes and goes takes more than a line', async (columns) => {
    const gate = join(workplace(), 'gate');
    const waiting = `while [ ! -e ${gate} ]; do sleep 0.05; done`;
    const source = makePackage(workplace(), { tests: { 'a-test-with-a-rather-long-name': waiting } });
    const terminal = new Terminal([], ownState(), `stty cols ${columns}; $TRUNDLE run ${source} -- null`);
    // As much of the line as there is room for.
    await terminal.shows(/test (?:1|\.\.\.)/);
    writeFileSync(gate, '');
    expect(await terminal.ended).toMatchObject({ status: 0 });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what a status line is made of.
    const drawn = [...terminal.output.matchAll(/\r((?:[^\r\n\u001b]|\u001b\[\d*m)+)\u001b\[K/g)].map(([, text]) =>
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours take no room.
      (text ?? '').replaceAll(/\u001b\[\d*m/g, ''),
    );
    expect(drawn.length).toBeGreaterThan(0);
    for (const text of drawn) expect(text.length).toBeLessThan(columns);
    expect(terminal.output).toContain(' PASS');
  });
});
