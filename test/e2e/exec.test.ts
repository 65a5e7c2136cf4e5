import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeLifeline } from '../support/lifeline.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { Cli, cli, ownState } from './support/cli.ts';

describe('trundle exec passes on', () => {
  test.each([0, 1, 16, 20, 77, 255])('the exit status %d, without a word of its own', async (status) => {
    const end = await cli(['exec', `exit ${status}`, '--', 'null'], { env: ownState() });
    expect(end).toEqual({ status, signal: null, stdout: '', stderr: '' });
  });

  test.each([
    ['TERM', 143],
    ['KILL', 137],
    ['SEGV', 139],
  ])('the signal %s as exit status %d', async (signal, status) => {
    const end = await cli(['exec', `kill -${signal} $$`, '--', 'null'], { env: ownState() });
    expect(end).toEqual({ status, signal: null, stdout: '', stderr: '' });
  });

  test('both output streams, each to its own', async () => {
    const end = await cli(['exec', 'echo out; echo err >&2', '--', 'null'], { env: ownState() });
    expect(end).toEqual({ status: 0, signal: null, stdout: 'out\n', stderr: 'err\n' });
  });

  test('standard input, and its end', async () => {
    const end = await cli(['exec', 'tr', 'a-z', 'A-Z', '--', 'null'], { env: ownState(), stdin: 'abc\ndef' });
    expect(end.stdout).toBe('ABC\nDEF');
  });

  test('arguments exactly as they are', async () => {
    const odd = ['a b', "it's", '"', '$HOME', '*', '\n', '', '-n', '--', 'ä'];
    const end = await cli(['exec', 'printf', '%s|', ...odd, '--', 'null'], { env: ownState() });
    expect(end.stdout).toBe(odd.map((word) => `${word}|`).join(''));
  });

  test('eight megabytes each way, to the byte', async () => {
    const bytes = Buffer.alloc(8 * 1024 * 1024);
    for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(at, at);
    const end = await cli(['exec', 'cat | sha256sum; head -c 8388608 /dev/zero | tr "\\0" x', '--', 'null'], {
      env: ownState(),
      stdin: bytes,
    });
    const [sum, zeros] = end.stdout.split('\n');
    expect(sum).toBe(`${createHash('sha256').update(bytes).digest('hex')}  -`);
    expect(zeros).toBe('x'.repeat(8 * 1024 * 1024));
  });

  test('variables and a working directory', async () => {
    const directory = workplace();
    const words = ['exec', '--env', 'A=1', '--env', 'B=x y', '--cwd', directory, 'echo "$A $B"; pwd', '--', 'null'];
    const end = await cli(words, { env: ownState() });
    expect(end.stdout).toBe(`1 x y\n${directory}\n`);
  });
});

describe('trundle exec', () => {
  test('ends when its command does, though its stdin stays open', async () => {
    expect((await cli(['exec', 'true', '--', 'null'], { env: ownState(), stdin: null })).status).toBe(0);
  });

  test('gives the command no stdin with -n', async () => {
    const end = await cli(['exec', '-n', 'cat; echo end', '--', 'null'], { env: ownState(), stdin: null });
    expect(end.stdout).toBe('end\n');
  });

  test('ends the command when nobody reads its output any more', async () => {
    const lifeline = forThisTest(makeLifeline(workplace()));
    const running = new Cli(['exec', `${lifeline.hold}; while echo yes; do :; done`, '--', 'null'], {
      env: ownState(),
    });
    await running.says('yes');
    running.process.stdout?.destroy();
    const { status, stderr } = await running.ended;
    expect([status, stderr]).toEqual([141, '']);
    await lifeline.released;
  });

  test('ends the command, and says why, when its output cannot be written', async () => {
    const lifeline = forThisTest(makeLifeline(workplace()));
    const full = openSync('/dev/full', 'w');
    const running = new Cli(['exec', `${lifeline.hold}; while echo yes; do :; done`, '--', 'null'], {
      env: ownState(),
      stdout: full,
    });
    closeSync(full);
    const { status, stderr } = await running.ended;
    expect(status).toBe(20);
    expect(stderr).toContain('There is no room left on the machine that Trundle runs on.');
    expect(stderr).toContain('writing to standard output: ENOSPC');
    await lifeline.released;
  });

  test('ends the command and says so when its time is up', async () => {
    const lifeline = forThisTest(makeLifeline(workplace()));
    const end = await cli(['exec', '--timeout', '0.5', lifeline.linger, '--', 'null'], { env: ownState() });
    expect(end.status).toBe(124);
    expect(end.stderr).toBe('trundle: the command ran for more than 0.5 s and was ended\n');
    await lifeline.released;
  });

  test('exits with 16 and the cause where the testbed fails', async () => {
    const words = ['exec', 'true', '--', 'ssh', '-H', '127.0.0.1', '-p', '1', '--host-key', `SHA256:${'A'.repeat(43)}`];
    const end = await cli([...words.slice(0, 1), '--deadline', 'ssh-ready=300', ...words.slice(1)], {
      env: ownState(),
    });
    expect([end.status, end.stdout]).toEqual([16, '']);
    expect(end.stderr).toMatch(/^trundle: exit code 16\. Nothing listens where the SSH server should be\.$/m);
    expect(end.stderr).toMatch(/^ {2}more {5}trundle explain [0-9a-f]{10}$/m);
  });

  test('prints one document with --json', async () => {
    const end = await cli(['exec', '--json', 'echo out; echo err >&2; exit 3', '--', 'null'], { env: ownState() });
    expect([end.status, end.stderr]).toEqual([3, '']);
    expect(JSON.parse(end.stdout)).toMatchObject({
      exitCode: 3,
      result: { kind: 'exited', status: 3 },
      leaked: false,
      stdout: 'out\n',
      stderr: 'err\n',
      truncated: false,
      cause: null,
    });
  });

  test('logs all that happens with --debug, as lines of JSON where stderr is no terminal', async () => {
    const end = await cli(['exec', '-d', 'echo out', '--', 'null'], { env: ownState() });
    expect([end.status, end.stdout]).toEqual([0, 'out\n']);
    const messages = end.stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).msg);
    expect(messages).toEqual(
      expect.arrayContaining(['run.started', 'decision', 'auth.accepted', 'command.exited', 'run.concluded']),
    );
  });

  test('keeps its trace where it is told to, and never over another', async () => {
    const trace = join(workplace(), 'trace');
    const words = ['exec', '--trace', trace, 'true', '--', 'null'];
    expect((await cli(words, { env: ownState() })).status).toBe(0);
    const again = await cli(words, { env: ownState() });
    expect(again.status).toBe(20);
    expect(again.stderr).toContain('already holds a trace');
  });

  test('says what to do where the trace cannot be kept', async () => {
    const file = join(workplace(), 'file');
    writeFileSync(file, '');
    const end = await cli(['exec', 'true', '--', 'null'], { env: { XDG_STATE_HOME: file } });
    expect(end.status).toBe(20);
    expect(end.stderr).toContain('the trace cannot be');
    expect(end.stderr).toContain('--trace DIR');
  });

  test('goes on where the run cannot be registered, and tells how to reap it', async () => {
    const place = workplace();
    writeFileSync(join(place, 'file'), '');
    mkdirSync(join(place, 'out'));
    const words = ['exec', '--trace', join(place, 'out/trace'), 'true', '--', 'null'];
    const end = await cli(words, { env: { XDG_STATE_HOME: join(place, 'file') } });
    expect(end.status).toBe(0);
    expect(end.stderr).toContain(`trundle reap ${join(place, 'out/trace')}`);
  });

  test.each([
    [['--', 'null'], 'no command is given before `--`'],
    [['--env', 'x', 'true', '--', 'null'], 'Expected NAME=VALUE'],
    [['true', '--', '-x'], 'is the name of a backend, not an option (-x)'],
  ])('refuses %j', async (words, problem) => {
    const end = await cli(['exec', ...words], { env: ownState() });
    expect([end.status, end.stdout]).toEqual([20, '']);
    expect(end.stderr).toContain(problem);
  });
});
