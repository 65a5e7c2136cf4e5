import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/runner/errors.ts';
import { ElapsedLines } from '../../../src/runner/output/ElapsedLines.ts';
import { OutputDirectory, openSink, type Sink } from '../../../src/runner/output/OutputDirectory.ts';
import { dateAndTime, divider, RunLog } from '../../../src/runner/output/RunLog.ts';
import { StderrKeeper } from '../../../src/runner/output/StderrKeeper.ts';
import { writeTo } from '../../../src/runner/output/terminal.ts';
import { shellWord, testInfoJson } from '../../../src/runner/output/testInfo.ts';

class MemorySink implements Sink {
  text = '';
  closed = false;
  write(chunk: Uint8Array | string): void {
    this.text += Buffer.from(chunk as string).toString();
  }
  close(): void {
    this.closed = true;
  }
}

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'trundle-output-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('elapsed seconds before lines', () => {
  it('stand before each line, also of one that comes in parts', () => {
    let seconds = 0;
    const lines = new ElapsedLines(() => seconds);
    const add = (text: string) => lines.add(Buffer.from(text)).toString();
    expect(add('a\nb')).toBe('  0s a\n  0s b');
    expect(lines.lineOpen).toBe(true);
    seconds = 7;
    expect(add('c\n')).toBe('c\n');
    seconds = 1234;
    expect(add('\nd\n')).toBe('1234s \n1234s d\n');
    expect(add('')).toBe('');
  });

  it('come off again, whatever the pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', '\n', 'é') })), (pieces) => {
        const lines = new ElapsedLines(() => 1);
        const marked = Buffer.concat(pieces.map((piece) => lines.add(Buffer.from(piece)))).toString();
        expect(marked.replaceAll(/^ {2}1s /gm, '')).toBe(pieces.join(''));
      }),
    );
  });
});

describe('the log', () => {
  const now = new Date(2026, 10, 24, 15, 4, 5);

  function open(quiet = false) {
    const terminal = { stdout: new PassThrough(), stderr: new PassThrough() };
    const [log, summary] = [new MemorySink(), new MemorySink()];
    const hide = (text: string) => text.replaceAll('hunter2', '[redacted]');
    const runLog = new RunLog({ program: 'autopkgtest', now: () => now, terminal, quiet, log, summary, hide });
    const seen = (stream: PassThrough) => (stream.read() as Buffer | null)?.toString() ?? '';
    return { runLog, log, summary, stdout: () => seen(terminal.stdout), stderr: () => seen(terminal.stderr) };
  }

  it('has the runner’s lines, the tests’ output and the results, each in its form', async () => {
    const { runLog, log, summary, stdout, stderr } = open();
    runLog.info('test a: [-----------------------');
    await runLog.output('stdout', Buffer.from('out\n'));
    await runLog.output('stderr', Buffer.from('no newline'));
    runLog.info(`test a: ${divider('results')}`);
    runLog.report('a', 'PASS');
    runLog.warning('careful');
    runLog.error('sorry');
    runLog.conclusion('sorry');
    runLog.summarize();
    expect(log.text.split('\n')).toEqual([
      '  0s autopkgtest [15:04:05]: test a: [-----------------------',
      '  0s out',
      '  0s no newline',
      '  0s autopkgtest [15:04:05]: test a:  - - - - - - - - - - results - - - - - - - - - -',
      '  0s a                    PASS',
      '  0s autopkgtest: WARNING: careful',
      '  0s autopkgtest [15:04:05]: ERROR: sorry',
      '  0s autopkgtest [15:04:05]: @@@@@@@@@@@@@@@@@@@@ summary',
      '  0s a                    PASS',
      '  0s sorry',
      '',
    ]);
    expect(summary.text).toBe('a                    PASS\nsorry\n');
    expect(stdout()).toBe('out\na                    PASS\n');
    expect(stderr()).toContain('no newline');
    runLog.close();
    expect([log.closed, summary.closed]).toEqual([true, true]);
  });

  it('has no secret in what the runner says, and all in what the tests print', async () => {
    const { runLog, log, summary, stdout } = open();
    runLog.info('it is hunter2');
    runLog.finding('blame: hunter2');
    runLog.conclusion('it was hunter2');
    runLog.report('a', 'FAIL stderr: hunter2');
    runLog.summarize();
    expect(`${log.text}${summary.text}${stdout()}`).not.toContain('hunter2');
    expect(summary.text).toContain('FAIL stderr: [redacted]');
    await runLog.output('stdout', Buffer.from('hunter2\n'));
    expect(log.text).toContain('hunter2');
  });

  it('shows a person only output and results when it is to be quiet', async () => {
    const { runLog, log, stdout, stderr } = open(true);
    runLog.info('hidden');
    await runLog.output('stderr', Buffer.from('err\n'));
    runLog.report('a', 'FAIL stderr: err');
    expect(stderr()).toBe('err\n');
    expect(stdout()).toBe('a                    FAIL stderr: err\n');
    expect(log.text).toContain('hidden');
  });

  it('dates the run with the zone', () => {
    expect(dateAndTime(now)).toMatch(/^2026-11-24 15:04:05[+-]\d{4}$/);
  });

  it('survives a reader who leaves', async () => {
    const { runLog } = open();
    const gone = new PassThrough({ highWaterMark: 1 });
    const waiting = writeTo(gone, 'more than fits');
    gone.destroy(new Error('EPIPE'));
    gone.on('error', () => {});
    await waiting;
    await writeTo(gone, 'later');
    runLog.close();
  });
});

describe('a test’s stderr', () => {
  it('is counted, and its first line kept without trailing white space', () => {
    const keeper = new StderrKeeper();
    for (const part of ['war', 'ning: café \t\r\nsecond\n']) keeper.add(Buffer.from(part));
    expect(keeper.firstLine).toBe('warning: café');
    expect(keeper.bytes).toBe(Buffer.byteLength('warning: café \t\r\nsecond\n'));
    expect(keeper.beyond).toBe(0);
  });

  it('takes no more memory however much there is', () => {
    const keeper = new StderrKeeper();
    const chunk = Buffer.alloc(50_000, 'x');
    for (let i = 0; i < 10; i += 1) keeper.add(chunk);
    expect(keeper.bytes).toBe(500_000);
    expect(keeper.beginning.length).toBe(65_536);
    expect(keeper.beyond).toBe(500_000 - 65_536);
  });

  it('may be anything but text', () => {
    const keeper = new StderrKeeper();
    keeper.add(Buffer.from([0xff, 0xfe, 0x0a]));
    expect(keeper.firstLine).toBe('\uFFFD\uFFFD');
  });
});

describe('the output directory', () => {
  it('is made, parents included', () => {
    const output = OutputDirectory.open(path.join(directory, 'a/b'));
    output.write('summary', 'x\n');
    expect(readFileSync(path.join(directory, 'a/b/summary'), 'utf8')).toBe('x\n');
  });

  it('must be empty', () => {
    writeFileSync(path.join(directory, 'x'), '');
    expect(() => OutputDirectory.open(directory)).toThrow(
      new UsageError(`--output-dir "${directory}" is not empty: name another one, or empty it first`),
    );
  });

  it('must be a directory', () => {
    writeFileSync(path.join(directory, 'x'), '');
    expect(() => OutputDirectory.open(path.join(directory, 'x'))).toThrow(UsageError);
  });

  it('holds whole files even where a write is cut short', () => {
    mkdirSync(path.join(directory, 'd'));
    const sink = openSink(path.join(directory, 'd/f'));
    sink.write('a');
    sink.write(Buffer.alloc(1_000_000, 'b'));
    sink.close();
    sink.close();
    expect(readFileSync(path.join(directory, 'd/f')).length).toBe(1_000_001);
  });
});

describe('testinfo.json', () => {
  it('holds what is known', () => {
    const facts = {
      architecture: 'amd64',
      dpkg: true,
      dpkgSource: true,
      installs: false,
      eatmydata: false,
      shell: 'bash',
      processors: '2',
      kernel: 'Linux 6',
      cpuModel: null,
      cpuFlags: null,
    } as const;
    const backend = ['ssh', '--host', 'a b'];
    expect(JSON.parse(testInfoJson({ backend, server: 'sshd', facts, environment: ['A=b'] }))).toEqual({
      virt_server: "ssh --host 'a b'",
      session: 'login',
      kernel_version: 'Linux 6',
      custom_environment: ['A=b'],
      nproc: '2',
    });
    const short = { backend: ['null'], facts: null, environment: [] };
    expect(JSON.parse(testInfoJson({ ...short, server: null }))).toEqual({ virt_server: 'null' });
    expect(JSON.parse(testInfoJson({ ...short, server: 'stand-in' }))).toMatchObject({ session: 'stand-in' });
  });

  it('quotes words as a person would', () => {
    expect(['a-b/c.d', 'a b', "it's", ''].map(shellWord)).toEqual(['a-b/c.d', "'a b'", `'it'"'"'s'`, "''"]);
  });
});
