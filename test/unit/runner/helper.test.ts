import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cause } from '../../../src/events/index.ts';
import { parseFacts } from '../../../src/runner/session/facts.ts';
import { Helper } from '../../../src/runner/session/Helper.ts';
import { KEEPER_SCRIPT } from '../../../src/runner/session/ScratchKeeper.ts';
import type { CommandEnd } from '../../../src/testbed/index.ts';
import { ManualClock } from '../../support/ManualClock.ts';
import { written } from '../../support/written.ts';

const LIMIT = 1000;
const never = new AbortController().signal;
/** Says in a file that it is there: a shell that is only just forked may miss a signal. */
const LINGERS = 'echo up >"$1"; exec sleep 1000';

describe('a shell that holds the scratch directory and helps', () => {
  let directory: string;
  let keeper: ChildProcess & { stdin: Writable; stdout: Readable };
  let scratch: string;
  let helper: Helper;
  let clock: ManualClock;
  let lost: Cause | null;

  beforeEach(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'trundle-helper-'));
    clock = new ManualClock();
    lost = null;
    keeper = spawn('sh', ['-c', KEEPER_SCRIPT, 'sh', '755'], {
      env: { PATH: process.env.PATH ?? '', TMPDIR: directory },
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    }) as typeof keeper;
    const ended = once(keeper, 'exit').then(
      ([status]): CommandEnd => ({ command: 'x1', result: { kind: 'exited', status }, leaked: false, cause: lost }),
    );
    const cancel = () => process.kill(-(keeper.pid ?? 0), 'SIGTERM');
    helper = new Helper({ stdin: keeper.stdin, ended, clock, cancel });
    let said = '';
    for await (const chunk of keeper.stdout.iterator({ destroyOnReturn: false })) {
      said += chunk;
      if (said.endsWith('ready\n')) break;
    }
    keeper.stdout.on('data', (chunk: Uint8Array) => helper.hear(chunk));
    scratch = parseFacts(said).scratch ?? '';
  });

  afterEach(async () => {
    keeper.stdin.end();
    if (keeper.exitCode === null && keeper.signalCode === null) await once(keeper, 'exit');
    rmSync(directory, { recursive: true });
  });

  /** The file of what lingers, which only it writes to. */
  function nothingYet(): string {
    const file = path.join(directory, 'up');
    writeFileSync(file, '');
    return file;
  }

  it('says so', () => {
    expect(parseFacts('scratch=/tmp/x\nhelps=yes\nready\n').helps).toBe(true);
    expect(parseFacts('scratch=/tmp/x\nready\n').helps).toBe(false);
    expect(parseFacts('scratch=/tmp/x\nhelps=yes\nready\n').sweeps).toBe(false);
    expect(parseFacts('scratch=/tmp/x\nhelps=yes\nsweeps=yes\nready\n').sweeps).toBe(true);
  });

  it('has said what it said, also where it was not asked yet, and has ended since', async () => {
    const ended: CommandEnd = { command: 'x1', result: { kind: 'exited', status: 0 }, leaked: false, cause: null };
    const recorded = new Helper({ stdin: new PassThrough(), ended: Promise.resolve(ended), clock, cancel: () => {} });
    recorded.hear(Buffer.from('tidy\nanswer 1 0\nanswer 2 1\n'));
    await Promise.resolve();
    expect(await recorded.ask('one', [], LIMIT, never)).toEqual({ kind: 'done', stdout: 'tidy\n' });
    expect(await recorded.ask('two', [], LIMIT, never)).toEqual({ kind: 'unsure' });
    expect(await recorded.ask('three', [], LIMIT, never)).toEqual({ kind: 'unsure' });
  });

  it('runs a script of several lines with its words, whatever is in them', async () => {
    const words = ['a b', "it's", 'two\nlines', '', '$HOME \\ "é"', 'keep', 'run 7'];
    const script = 'for word in "$@"; do\n  echo "<$word>"\ndone';
    const stdout = words.map((word) => `<${word}>\n`).join('');
    expect(await helper.ask(script, words, LIMIT, never)).toEqual({ kind: 'done', stdout });
  });

  it('answers one after the other, and nothing of one is left for the next', async () => {
    const first = helper.ask('set -e; cd /; word=left; echo "$#"', ['1', '2'], LIMIT, never);
    const second = helper.ask('pwd; echo "$#$word"', [], LIMIT, never);
    expect(await first).toEqual({ kind: 'done', stdout: '2\n' });
    expect(await second).toEqual({ kind: 'done', stdout: `${process.cwd()}\n0\n` });
  });

  it.each(['false', 'set -e; false; echo on', 'exit 3', 'kill -s KILL "$(exec sh -c \'echo $PPID\')"', 'if then'])(
    'is not sure after %s, and goes on',
    async (script) => {
      expect(await helper.ask(script, [], LIMIT, never)).toEqual({ kind: 'unsure' });
      expect(await helper.ask('echo on', [], LIMIT, never)).toEqual({ kind: 'done', stdout: 'on\n' });
      expect(existsSync(scratch)).toBe(true);
    },
  );

  it('gives a script no input of its own', async () => {
    const after = helper.ask('cat', [], LIMIT, never);
    expect(await helper.ask('echo on', [], LIMIT, never)).toEqual({ kind: 'done', stdout: 'on\n' });
    expect(await after).toEqual({ kind: 'done', stdout: '' });
  });

  it('is ended with what takes too long, and the directory goes', async () => {
    const asked = helper.ask(LINGERS, [nothingYet()], LIMIT, never);
    await written(path.join(directory, 'up'), /up/);
    clock.advance(LIMIT);
    expect(await asked).toEqual({ kind: 'late' });
    await once(keeper, 'exit');
    expect(existsSync(scratch)).toBe(false);
    expect(await helper.ask('echo on', [], LIMIT, never)).toEqual({ kind: 'unsure' });
  });

  it('does not hold up who is told to stop, and what is under way has only a moment more', async () => {
    const stop = new AbortController();
    const asked = helper.ask(LINGERS, [nothingYet()], 100 * LIMIT, stop.signal);
    await written(path.join(directory, 'up'), /up/);
    stop.abort();
    expect(await asked).toEqual({ kind: 'unsure' });
    expect(await helper.ask('echo on', [], LIMIT, stop.signal)).toEqual({ kind: 'unsure' });
    clock.advance(5 * LIMIT);
    await once(keeper, 'exit');
    expect(existsSync(scratch)).toBe(false);
  });

  it('tells why it is gone, where that is the testbed’s fault', async () => {
    lost = { class: 'connection-closed', phase: 'exec', doing: 'running x1', evidence: [7] };
    const asked = helper.ask(LINGERS, [nothingYet()], LIMIT, never);
    await written(path.join(directory, 'up'), /up/);
    process.kill(-(keeper.pid ?? 0), 'SIGTERM');
    expect(await asked).toEqual({ kind: 'lost', cause: lost });
    expect(await helper.ask('echo on', [], LIMIT, never)).toEqual({ kind: 'lost', cause: lost });
  });

  it('takes an answer that came before the question, as a recording has it', async () => {
    helper.hear(Buffer.from('tidy\nanswer 1 0\n'));
    expect(await helper.ask('echo other', [], LIMIT, never)).toEqual({ kind: 'done', stdout: 'tidy\n' });
  });
});
