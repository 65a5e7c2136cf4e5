import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TraceLine } from '../../../src/trace/contract.ts';
import { type ReadOptions, readTrace, type TraceEnd } from '../../../src/trace/readTrace.ts';
import { createRecorder } from '../../../src/trace/recorder.ts';
import { TraceError } from '../../../src/trace/TraceError.ts';
import { event, HEADER, ManualClock, printed, temporaryDirectory } from './support/trace.ts';

const DECISION: TraceLine = { d: 1, m: 'backend:tb1', s: 'up' };

/** Writes a trace of these lines as they are; strings are lines already. */
function written(...lines: (object | string)[]): string {
  const file = join(temporaryDirectory(), 'events.jsonl');
  writeFileSync(file, lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
  return file;
}

/** All that can be read, and how it ended. */
async function readAll(
  path: string,
  options?: ReadOptions,
): Promise<{ lines: TraceLine[]; end: TraceEnd | null; error: TraceError | null }> {
  const lines: TraceLine[] = [];
  try {
    const trace = await readTrace(path, options);
    for await (const line of trace.lines()) lines.push(line);
    return { lines, end: trace.end, error: null };
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    return { lines, end: null, error };
  }
}

describe('reading a trace', () => {
  test('gives its header, its lines in order and what was found at the end', async () => {
    const file = written(HEADER, printed(1, 'hello'), DECISION, printed(2, 'world'));
    const trace = await readTrace(file);
    expect(trace.header).toEqual(HEADER);
    expect(trace.end).toBeNull();
    expect((await readAll(file)).lines).toEqual([printed(1, 'hello'), DECISION, printed(2, 'world')]);
    expect((await readAll(file)).end).toMatchObject({ truncated: false, events: 2, decisions: 1, lastSeq: 2 });
  });

  test('takes the directory as well as the file, and can be done again', async () => {
    const directory = join(temporaryDirectory(), 'trace');
    const recorder = createRecorder({ directory, header: HEADER, clock: new ManualClock(), onError: () => {} });
    recorder.event(printed(1, 'hello'));
    recorder.close();
    const trace = await readTrace(directory);
    for (const _ of [1, 2]) {
      const lines: TraceLine[] = [];
      for await (const line of trace.lines()) lines.push(line);
      expect(lines).toEqual([printed(1, 'hello')]);
    }
    expect(trace.streamFile('console')).toBe(join(directory, 'streams/console'));
  });

  test('gives back any event that was written', async () => {
    const lines = fc.array(
      fc.record({
        line: fc.string({ unit: 'binary' }),
        at: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(lines, async (drafts) => {
        const directory = join(temporaryDirectory(), 'trace');
        const recorder = createRecorder({ directory, header: HEADER, clock: new ManualClock(), onError: () => {} });
        const events = drafts.map(({ line, at }, index) => printed(index + 1, line, at + 0));
        for (const each of events) recorder.event(each);
        recorder.close();
        // JSON has no -0 and no lone surrogates but as escapes: what went through it once stays as it is.
        expect((await readAll(directory, { validate: true })).lines).toEqual(JSON.parse(JSON.stringify(events)));
      }),
      { numRuns: 60 },
    );
  });

  test('reads lines that are longer than a chunk, and characters that lie across chunks', async () => {
    const events = Array.from({ length: 40 }, (_, index) =>
      printed(index + 1, '\u00fc\u20ac'.repeat(index * 3000 + index)),
    );
    expect((await readAll(written(HEADER, ...events))).lines).toEqual(events);
  });

  test('reads all whole lines of a file cut at any byte, and throws nothing but a TraceError', async () => {
    const whole = [HEADER, printed(1, 'gr\u00fc\u00dfe'), DECISION, printed(2, 'world')].map(
      (line) => `${JSON.stringify(line)}\n`,
    );
    const bytes = Buffer.from(whole.join(''));
    const headerEnd = Buffer.byteLength(whole[0] ?? '');
    const file = join(temporaryDirectory(), 'events.jsonl');
    for (let length = 0; length <= bytes.length; length++) {
      writeFileSync(file, bytes.subarray(0, length));
      const { lines, end, error } = await readAll(file);
      if (length < headerEnd) {
        expect(error?.code).toBe(length === 0 ? 'empty' : 'no-header');
        continue;
      }
      const newlines = bytes.subarray(0, length).filter((byte) => byte === 0x0a).length;
      expect(lines).toHaveLength(newlines - 1);
      expect(end?.truncated).toBe(bytes[length - 1] !== 0x0a);
      expect(end?.bytes).toBe(bytes.subarray(0, length).lastIndexOf(0x0a) + 1);
    }
  });

  test('never throws anything but a TraceError, whatever byte of it is damaged', async () => {
    const bytes = Buffer.from(
      [HEADER, printed(1, 'a'), DECISION, printed(2, 'b')].map((line) => `${JSON.stringify(line)}\n`).join(''),
    );
    const file = join(temporaryDirectory(), 'events.jsonl');
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), fc.boolean(), async (at, byte, validate) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = byte;
        writeFileSync(file, damaged);
        const { end, error } = await readAll(file, { validate });
        expect(end !== null || error !== null).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a trace that cannot be read says what is wrong, where, and what could be read', () => {
  test.each([
    ['no JSON', '{"seq":2,', /it is no JSON/],
    ['no object', '[]', /it is no JSON object/],
    ['an empty line', '', /it is no JSON/],
    ['a line that is neither', '{}', /neither an event nor a decision/],
    ['an event without a type', '{"seq":2,"at":1}', /an event without a type/],
    ['a decision from the future', '{"d":9,"m":"a:b","s":"c"}', /a decision on event 9, which did not come before it/],
    ['commands that are none', '{"d":1,"m":"a:b","s":"c","c":[1]}', /no list of commands/],
  ])('%s', async (_, line, message) => {
    const file = written(HEADER, printed(1, '\u00fc'), line, printed(2, 'b'));
    const { lines, error } = await readAll(file);
    const offset = Buffer.byteLength(`${JSON.stringify(HEADER)}\n${JSON.stringify(printed(1, '\u00fc'))}\n`);
    expect(lines).toEqual([printed(1, '\u00fc')]);
    expect(error).toMatchObject({ code: 'damaged', file, place: { line: 3, offset, lastSeq: 1 } });
    expect(error?.message).toMatch(message);
    expect(error?.message).toContain(`${file}, line 3 (byte ${offset})`);
    expect(error?.message).toContain('events 1 to 1 before it can be read');
  });

  test('bytes that are no UTF-8', async () => {
    const file = join(temporaryDirectory(), 'events.jsonl');
    const text = [HEADER, printed(1, 'a'), printed(2, '?')].map((line) => `${JSON.stringify(line)}\n`).join('');
    const bytes = Buffer.from(text);
    bytes[bytes.indexOf('?')] = 0xff;
    writeFileSync(file, bytes);
    expect((await readAll(file)).error).toMatchObject({ code: 'damaged', place: { line: 3, lastSeq: 1 } });
  });

  test.each([
    ['left out', 3, /event 3 where event 2 should be/],
    ['repeated', 1, /event 1 where event 2 should be/],
  ])('an event that is %s', async (_, seq, message) => {
    const { lines, error } = await readAll(written(HEADER, printed(1, 'a'), printed(seq, 'b')));
    expect(lines).toHaveLength(1);
    expect(error?.code).toBe('gap');
    expect(error?.message).toMatch(message);
  });

  test('an event with wrong data, where data are to be checked', async () => {
    const wrong = { ...printed(2, 'b'), line: 7 };
    const file = written(HEADER, printed(1, 'a'), wrong);
    expect((await readAll(file)).error).toBeNull();
    const { lines, error } = await readAll(file, { validate: true });
    expect(lines).toEqual([printed(1, 'a')]);
    expect(error).toMatchObject({ code: 'damaged', place: { line: 3 } });
    expect(error?.message).toMatch(/line: /);
  });

  test('a trace of a later version', async () => {
    const { error } = await readAll(written({ ...HEADER, trundle: '9.1.0', format: 3 }));
    expect(error?.code).toBe('future');
    expect(error?.message).toMatch(/written by Trundle 9\.1\.0 in format 3; this one reads formats up to 2/);
  });

  test.each([
    ['text', 'hello', /the first line is no JSON/],
    ['other JSON', '{"version":2}', /not the header of one/],
    ['a format that is no version', { ...HEADER, format: 0 }, /not the header of one/],
    ['a header without a run', { ...HEADER, run: undefined }, /names no run/],
    ['a header without an owner', { ...HEADER, owner: {} }, /names no owner/],
    ['a header without a system', { ...HEADER, system: 7 }, /what system it was/],
    ['a header without a start', { ...HEADER, started: 'yesterday' }, /no time of start/],
  ])('something that is no trace: %s', async (_, line, message) => {
    const { error } = await readAll(written(line));
    expect(error?.code).toBe('not-a-trace');
    expect(error?.message).toMatch(message);
  });

  test('an empty file, a missing one, a directory without one', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'empty'), '');
    expect((await readAll(join(directory, 'empty'))).error?.code).toBe('empty');
    expect((await readAll(join(directory, 'missing'))).error).toMatchObject({ code: 'inaccessible' });
    expect((await readAll(directory)).error?.message).toMatch(/there is no trace here/);
    mkdirSync(join(directory, 'events.jsonl'));
    expect((await readAll(directory)).error?.code).toBe('inaccessible');
  });

  test('a file of one endless line', async () => {
    const file = written(HEADER, event(1, { type: 'run.finished', testbed: null, from: 'runner' }));
    writeFileSync(file, Buffer.alloc(65 * 1024 * 1024, 'x'), { flag: 'a' });
    expect((await readAll(file)).error).toMatchObject({ code: 'damaged', place: { line: 3, lastSeq: 1 } });
  });
});
