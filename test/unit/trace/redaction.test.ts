import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRecorder } from '../../../src/trace/recorder.ts';
import { Redactor } from '../../../src/trace/redactor.ts';
import { allBytes, event, HEADER, linesOf, ManualClock, printed, temporaryDirectory } from './support/trace.ts';

function redactorOf(...secrets: string[]): Redactor {
  const redactor = new Redactor();
  redactor.add(secrets);
  return redactor;
}

/** What a stream's file holds after these chunks. */
function streamed(redactor: Redactor, chunks: readonly Uint8Array[]): string {
  const stream = redactor.stream();
  return Buffer.concat([...chunks.map((chunk) => stream.write(chunk)), stream.end()]).toString('latin1');
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...chunks, bytes.subarray(at)];
}

// Few letters make overlaps and near misses common; none of them occurs in the mark.
const text = fc.string({ unit: fc.constantFrom('x', 'y', '"', "'", '\\', '\n', '\u00fc'), maxLength: 40 });
const secret = fc.string({ unit: fc.constantFrom('x', 'y', '"', "'", '\\', '\u00fc'), minLength: 1, maxLength: 6 });
const secrets = fc.array(secret, { minLength: 1, maxLength: 4 });
const sizes = fc.array(fc.nat(5), { maxLength: 60 });

describe('redaction', () => {
  test('takes secrets out of every later event, also where JSON or a shell quotes them', () => {
    const directory = join(temporaryDirectory(), 'trace');
    const recorder = createRecorder({ directory, header: HEADER, clock: new ManualClock(), onError: () => {} });
    const password = `it's "hot"\\`;
    recorder.redact([password]);
    recorder.event(printed(1, `password: ${password}!`));
    recorder.event(printed(2, `said ${JSON.stringify(password)}`));
    recorder.event(printed(3, `login 'it'\\''s "hot"\\'`));
    recorder.close();
    const lines = linesOf(directory).slice(1) as { line: string }[];
    expect(lines.map(({ line }) => line)).toEqual(['password: [redacted]!', 'said "[redacted]"', "login '[redacted]'"]);
  });

  test('takes them out of decisions', () => {
    const directory = join(temporaryDirectory(), 'trace');
    const recorder = createRecorder({ directory, header: HEADER, clock: new ManualClock(), onError: () => {} });
    recorder.redact(['hunter2']);
    const commands = [{ type: 'abort' as const, reason: 'hunter2 leaked', force: false }];
    recorder.decision({ seq: 1, machine: 'run:r1', state: 'aborting', commands });
    recorder.close();
    expect(linesOf(directory)[1]).toMatchObject({ c: [{ type: 'abort', reason: '[redacted] leaked', force: false }] });
  });

  test('leaves ids and words of the vocabulary alone, so that the trace stays one', () => {
    const redactor = redactorOf('password', 'tb1.', 'driver', 'auth');
    const accepted = event(1, {
      type: 'auth.accepted',
      testbed: 'tb1.',
      from: 'driver',
      connection: 'tb1.c1',
      login: 'auth',
      method: 'password',
    });
    expect(JSON.parse(redactor.line(JSON.stringify(accepted)))).toEqual({ ...accepted, login: '[redacted]' });
  });

  test("hides a secret in a test's command although commands have ids of that name", () => {
    const redactor = redactorOf('hunter2');
    const started = event(1, {
      type: 'test.started',
      testbed: 'tb1',
      from: 'runner',
      test: 't',
      command: 'login hunter2',
    });
    expect(redactor.line(JSON.stringify(started))).toContain('"command":"login [redacted]"');
  });

  test('hides each line of a private key, and a secret read from a file without its newline', () => {
    const redactor = redactorOf('-----BEGIN KEY-----\nb3BlbnNzaC1rZXk\n-----END KEY-----\n', 'hunter2\n');
    expect(redactor.text('> b3BlbnNzaC1rZXk')).toBe('> [redacted]');
    expect(redactor.text('-----BEGIN KEY-----\r\nb3BlbnNzaC1rZXk\r\n-----END KEY-----\r\n')).toBe('[redacted]');
    expect(redactor.text('is hunter2.')).toBe('is [redacted].');
  });

  test('ignores empty secrets and warns of short ones without telling them', () => {
    const redactor = new Redactor();
    expect(redactor.add([''])).toEqual([]);
    expect(redactor.active).toBe(false);
    const warnings = redactor.add(['q7', 'long enough']);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/a secret of 2 characters/);
    expect(warnings[0]).not.toContain('q7');
    expect(redactor.text('q7')).toBe('[redacted]');
  });

  test('holds back no more of a stream than may be a secret', () => {
    const stream = redactorOf('secret').stream();
    expect(Buffer.from(stream.write(Buffer.from('a sec'))).toString()).toBe('a ');
    expect(Buffer.from(stream.write(Buffer.from('ond'))).toString()).toBe('second');
    expect(Buffer.from(stream.write(Buffer.from(' se'))).toString()).toBe(' ');
    expect(Buffer.from(stream.end()).toString()).toBe('se');
  });

  test('works in the files of streams, flushed in between or not', () => {
    const directory = join(temporaryDirectory(), 'trace');
    const recorder = createRecorder({ directory, header: HEADER, clock: new ManualClock(), onError: () => {} });
    recorder.redact(['hunter2']);
    recorder.bytes('console', Buffer.from('pass hunt'));
    recorder.flush();
    recorder.bytes('console', Buffer.from('er2 and hun'));
    recorder.close();
    expect(readFileSync(join(directory, 'streams/console'), 'utf8')).toBe('pass [redacted] and hun');
  });

  test('never leaks into a stream, however it is cut, and cuts make no difference', () => {
    fc.assert(
      fc.property(secrets, text, sizes, (hidden, whole, cuts) => {
        const redactor = redactorOf(...hidden);
        const bytes = Buffer.from(whole);
        const result = streamed(redactor, cut(bytes, cuts));
        expect(result).toBe(streamed(redactor, [bytes]));
        expect(Buffer.from(result, 'latin1').toString()).toBe(redactor.text(whole));
        for (const one of hidden) expect(Buffer.from(result, 'latin1').includes(one)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test('never leaks into a line, and the line stays the same event', () => {
    fc.assert(
      fc.property(secrets, text, (hidden, line) => {
        const redactor = redactorOf(...hidden);
        const clean = JSON.parse(redactor.line(JSON.stringify(printed(1, line))));
        for (const one of hidden) expect(clean.line.includes(one)).toBe(false);
        expect({ ...clean, line: '' }).toEqual({ ...printed(1, line), line: '' });
      }),
      { numRuns: 1000 },
    );
  });

  test('never leaks into any file of a trace', () => {
    fc.assert(
      fc.property(text, sizes, (around, cuts) => {
        const directory = join(temporaryDirectory(), 'trace');
        const recorder = createRecorder({ directory, header: HEADER, clock: new ManualClock(), onError: () => {} });
        recorder.redact(['Qq"Ww']);
        const bytes = Buffer.from(`${around}Qq"Ww${around}`);
        for (const chunk of cut(bytes, cuts)) {
          recorder.bytes('console', chunk);
          recorder.flush();
        }
        recorder.event(printed(1, bytes.toString()));
        recorder.close();
        const written = allBytes(directory);
        expect(written.includes('Qq"Ww') || written.includes('Qq\\"Ww')).toBe(false);
      }),
      { numRuns: 50 },
    );
  });
});
