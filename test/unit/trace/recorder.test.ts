import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRecorder, type RecorderError, type RecorderOptions } from '../../../src/trace/recorder.ts';
import { TraceError } from '../../../src/trace/TraceError.ts';
import { event, HEADER, linesOf, ManualClock, printed, temporaryDirectory } from './support/trace.ts';

function setUp(options: Partial<RecorderOptions> = {}) {
  const directory = join(temporaryDirectory(), 'trace');
  const clock = new ManualClock();
  const errors: RecorderError[] = [];
  const recorder = createRecorder({
    directory,
    header: HEADER,
    clock,
    onError: (error) => errors.push(error),
    ...options,
  });
  return { directory, clock, errors, recorder };
}

describe('a recorder', () => {
  test('writes the header before anything else happens', () => {
    const { directory } = setUp();
    expect(linesOf(directory)).toEqual([HEADER]);
  });

  test('writes events and decisions in the order they came, decisions in their short form', () => {
    const { directory, recorder } = setUp();
    recorder.event(printed(1, 'hello'));
    recorder.decision({ seq: 1, machine: 'backend:tb1', state: 'up', commands: [] });
    recorder.decision({ seq: 1, machine: 'testbed:tb1', state: 'ready', commands: [{ type: 'stop', testbed: 'tb1' }] });
    recorder.event(printed(2, 'world'));
    recorder.close();
    expect(linesOf(directory).slice(1)).toEqual([
      printed(1, 'hello'),
      { d: 1, m: 'backend:tb1', s: 'up' },
      { d: 1, m: 'testbed:tb1', s: 'ready', c: [{ type: 'stop', testbed: 'tb1' }] },
      printed(2, 'world'),
    ]);
  });

  test('holds a batch for 5 ms and no longer', () => {
    const { directory, clock, recorder } = setUp();
    recorder.event(printed(1, 'hello'));
    clock.advance(4);
    expect(linesOf(directory)).toHaveLength(1);
    clock.advance(1);
    expect(linesOf(directory)).toHaveLength(2);
  });

  test('writes a batch that is older than 5 ms even where the event loop never comes to its timers', () => {
    const { directory, recorder } = setUp();
    recorder.event(printed(1, 'hello', 100));
    recorder.event(printed(2, 'world', 106));
    expect(linesOf(directory)).toHaveLength(3);
  });

  test('writes at once when 64 KiB have come together', () => {
    const { directory, recorder } = setUp();
    recorder.event(printed(1, 'x'.repeat(64 * 1024)));
    expect(linesOf(directory)).toHaveLength(2);
  });

  test.each([
    event(2, {
      type: 'resource.acquired',
      testbed: 'tb1',
      from: 'backend',
      resource: 'tb1.r1',
      kind: 'directory',
      name: '/x/y',
    }),
    event(2, { type: 'resource.released', testbed: 'tb1', from: 'backend', resource: 'tb1.r1' }),
    event(2, { type: 'run.concluded', testbed: null, from: 'machine', exitCode: 0, cause: null }),
  ])('writes $type at once, with all that came before it', (urgent) => {
    const { directory, recorder } = setUp();
    recorder.event(printed(1, 'hello'));
    recorder.event(urgent);
    expect(linesOf(directory)).toEqual([HEADER, printed(1, 'hello'), urgent]);
  });

  test('keeps bytes in a file for each stream, before the events that speak of them', () => {
    const { directory, recorder } = setUp();
    expect(recorder.bytes('console', Buffer.from('one '))).toBe(true);
    expect(recorder.bytes('tb1.x3.stdout', Buffer.from('two'))).toBe(true);
    expect(recorder.bytes('console', Buffer.from('three'))).toBe(true);
    recorder.flush();
    expect(readFileSync(join(directory, 'streams/console'), 'utf8')).toBe('one three');
    expect(readFileSync(join(directory, 'streams/tb1.x3.stdout'), 'utf8')).toBe('two');
  });

  test('keeps what a chunk held when it was given, whatever its owner does to it later', () => {
    const { directory, recorder } = setUp();
    const chunk = Buffer.from('before');
    recorder.bytes('console', chunk);
    chunk.fill('x');
    recorder.flush();
    expect(readFileSync(join(directory, 'streams/console'), 'utf8')).toBe('before');
  });

  test('never lets the name of a stream lead out of its directory', () => {
    const { directory, recorder } = setUp();
    recorder.bytes('../../escaped', Buffer.from('x'));
    recorder.flush();
    expect(existsSync(join(directory, 'streams/%2E.%2F..%2Fescaped'))).toBe(true);
  });

  test('keeps a stream up to its limit, then says so each time', () => {
    const { directory, recorder } = setUp({ streamLimit: 10 });
    expect(recorder.bytes('console', Buffer.from('12345678'))).toBe(true);
    expect(recorder.bytes('console', Buffer.from('90abc'))).toBe(false);
    expect(recorder.bytes('console', Buffer.from('d'))).toBe(false);
    expect(recorder.bytes('other', Buffer.from('d'))).toBe(true);
    recorder.close();
    expect(readFileSync(join(directory, 'streams/console'), 'utf8')).toBe('1234567890');
    expect(recorder.counts.bytes).toBe(15);
  });

  test('makes files that only their owner can read', () => {
    const { directory, recorder } = setUp();
    recorder.bytes('console', Buffer.from('x'));
    recorder.flush();
    const modeOf = (path: string) => statSync(join(directory, path)).mode & 0o777;
    expect(['.', 'streams', 'events.jsonl', 'streams/console'].map(modeOf)).toEqual([0o700, 0o700, 0o600, 0o600]);
  });

  test('accepts a directory that is there but holds no trace', () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'summary'), '');
    setUp({ directory });
    expect(linesOf(directory)).toEqual([HEADER]);
  });

  test('refuses a directory that holds a trace, and leaves that trace as it is', () => {
    const { directory, recorder } = setUp();
    recorder.event(printed(1, 'hello'));
    recorder.close();
    expect(() => setUp({ directory })).toThrow(TraceError);
    expect(() => setUp({ directory })).toThrow(/already holds a trace/);
    expect(linesOf(directory)).toHaveLength(2);
  });

  test('says of a file in the place of the directory that it is none, not that it holds a trace', () => {
    const directory = join(temporaryDirectory(), 'file');
    writeFileSync(directory, '');
    expect(() => setUp({ directory })).toThrow(/cannot be written: EEXIST/);
  });

  test('refuses a directory that holds the streams of a lost trace', () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'streams'));
    expect(() => setUp({ directory })).toThrow(/already holds a trace/);
    expect(existsSync(join(directory, 'events.jsonl'))).toBe(false);
  });

  test('says why a directory cannot be made', () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    expect(() => setUp({ directory: join(file, 'trace') })).toThrow(/cannot be written: ENOTDIR/);
  });

  test('tells once that the disk is full, then only counts', () => {
    const { directory, errors, recorder } = setUp();
    symlinkSync('/dev/full', join(directory, 'streams/console'));
    recorder.event(printed(1, 'hello'));
    recorder.bytes('console', Buffer.from('x'));
    recorder.flush();
    recorder.event(printed(2, 'lost'));
    recorder.decision({ seq: 2, machine: 'backend:tb1', state: 'up', commands: [] });
    expect(recorder.bytes('console', Buffer.from('yy'))).toBe(true);
    recorder.flush();
    recorder.close();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code: 'ENOSPC', file: join(directory, 'streams/console') });
    expect(errors[0]?.message).toMatch(/ENOSPC/);
    expect(recorder.error).toBe(errors[0]);
    expect(recorder.counts).toEqual({ events: 2, decisions: 1, bytes: 3, lost: 2 });
  });

  test('may be told of its own failure by whoever records the failure', () => {
    const directory = join(temporaryDirectory(), 'trace');
    const recorder = createRecorder({
      directory,
      header: HEADER,
      clock: new ManualClock(),
      onError: (error) => recorder.event(printed(2, error.message)),
    });
    symlinkSync('/dev/full', join(directory, 'streams/console'));
    recorder.bytes('console', Buffer.from('x'));
    recorder.flush();
    expect(recorder.counts.lost).toBe(1);
  });
});
