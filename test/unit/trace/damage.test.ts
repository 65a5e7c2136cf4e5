import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMachines } from '../../../src/machines/index.ts';
import { type Explanation, explain } from '../../../src/trace/explain/explain.ts';
import { renderExplanation } from '../../../src/trace/explain/renderExplanation.ts';
import { readTrace } from '../../../src/trace/readTrace.ts';
import { type Replay, replay } from '../../../src/trace/replay.ts';
import { TraceError } from '../../../src/trace/TraceError.ts';
import { temporaryDirectory } from './support/trace.ts';

const CORPUS = join(import.meta.dirname, '../../traces');

/** A recorded trace whose file of events is another one. */
function recorded(name: string) {
  const place = temporaryDirectory();
  mkdirSync(join(place, 'streams'));
  const file = join(place, 'events.jsonl');
  const bytes = readFileSync(join(CORPUS, name, 'events.jsonl'));
  return { file, bytes };
}

interface Answer {
  explanation: Explanation;
  text: string;
  replayed: Replay;
  damage: readonly TraceError[];
}

/** What is said of a trace, or the error that says that nothing can be. */
async function answered(file: string, bytes: string | Buffer): Promise<Answer | TraceError> {
  writeFileSync(file, bytes);
  try {
    const trace = await readTrace(file, { skip: true });
    const explanation = await explain(trace);
    const { damage } = trace;
    return {
      explanation,
      text: renderExplanation(explanation),
      damage,
      replayed: await replay(trace, { createMachines }),
    };
  } catch (error) {
    if (error instanceof TraceError) return error;
    throw error;
  }
}

async function told(file: string, bytes: string | Buffer): Promise<Answer> {
  const answer = await answered(file, bytes);
  if (answer instanceof TraceError) throw answer;
  return answer;
}

/** Number of the line that holds a byte, from 1. */
function lineOf(bytes: Buffer, at: number): number {
  return bytes.subarray(0, at).reduce((lines, byte) => lines + Number(byte === 0x0a), 1);
}

describe('of a damaged trace all is told that can be read', () => {
  const lines = readFileSync(join(CORPUS, 'v2-failing-test/events.jsonl'), 'utf8').split('\n');
  const place = (index: number) => Buffer.byteLength(lines.slice(0, index).join('\n')) + 1;
  const at = (type: string) => lines.findIndex((line) => line.includes(`"type":"${type}"`));
  const changed = (index: number, change: (line: string) => string) => lines.with(index, change(lines[index] ?? ''));

  test('where a line is no JSON', async () => {
    const { file } = recorded('v2-failing-test');
    const index = at('test.planned');
    const { seq } = JSON.parse(lines[index] ?? '');
    const { text, explanation, replayed } = await told(file, changed(index, (line) => line.slice(1)).join('\n'));
    expect(explanation.damage).toHaveLength(1);
    expect(text).toContain(`${file}, line ${index + 1} (byte ${place(index)}): it is no JSON`);
    expect(text).toContain(`events 1 to ${seq - 1} before it can be read`);
    // What comes behind it is told as well.
    expect(explanation).toMatchObject({ exitCode: 4, cause: { class: 'test-failed' } });
    expect(text).toContain('test bad exited with status 3');
    expect(replayed).toMatchObject({
      same: true,
      events: seq - 1,
      verdict: { exitCode: 4 },
      damage: [{ code: 'damaged', place: { line: index + 1, lastSeq: seq - 1 } }],
    });
  });

  test('where a field has lost its name', async () => {
    const { file } = recorded('v2-failing-test');
    const index = at('test.started');
    const { explanation, text } = await told(
      file,
      changed(index, (line) => line.replace('"test":', '"tast":')).join('\n'),
    );
    expect(explanation.damage).toEqual([expect.stringMatching(`line ${index + 1} \\(byte ${place(index)}\\): test: `)]);
    expect(text).not.toMatch(/test undefined/);
  });

  test('where bytes are missing in the middle', async () => {
    const { file } = recorded('v2-failing-test');
    const { explanation } = await told(
      file,
      [...lines.slice(0, 40), (lines[40] ?? '').slice(0, 9) + (lines[60] ?? '').slice(9), ...lines.slice(61)].join(
        '\n',
      ),
    );
    expect(explanation).toMatchObject({ exitCode: 4, cause: { class: 'test-failed' } });
    expect(explanation.events).toBeGreaterThan(80);
    expect(explanation.damage[0]).toContain('line 41 ');
  });

  test('where the header is lost', async () => {
    const { file } = recorded('v2-failing-test');
    const { explanation, text, replayed } = await told(file, changed(0, (line) => line.slice(1)).join('\n'));
    expect(explanation.damage).toEqual([expect.stringContaining('line 1 (byte 0): not a trace')]);
    expect(text).toContain('of an unknown time');
    expect(explanation).toMatchObject({ run: JSON.parse(lines[1] ?? '').run, exitCode: 4 });
    expect(replayed).toMatchObject({ same: true, events: 0, verdict: { exitCode: 4 } });
  });

  test('where a later Trundle wrote it, and all that looks as it does now', async () => {
    const { file } = recorded('v2-failing-test');
    const later = changed(0, (line) => line.replace('"format":2', '"format":9').replace('0.1.0', '4.2.0'));
    const index = at('test.planned');
    later.splice(index, 0, '{"v":2,"what":"nobody knows"}');
    const { explanation, text } = await told(file, later.join('\n'));
    expect(explanation.damage).toEqual([
      expect.stringContaining('written by Trundle 4.2.0 in format 9; this one reads formats up to 2: use that version'),
      expect.stringContaining(`line ${index + 1} (byte `),
    ]);
    expect(explanation).toMatchObject({ exitCode: 4, cause: { class: 'test-failed' } });
    expect(text).toContain('test bad exited with status 3');
  });

  test('but where none is asked for, a reading stops there', async () => {
    const { file } = recorded('v2-failing-test');
    writeFileSync(file, changed(5, (line) => line.slice(1)).join('\n'));
    await expect(explain(await readTrace(file))).rejects.toThrow(TraceError);
    await expect(replay(await readTrace(file), { createMachines })).rejects.toThrow('line 6');
  });
});

/** Long enough for a machine that does other things too; a property has as many runs as it says, not as fit into it. */
const PATIENCE = { timeout: 120_000 };

describe('whatever becomes of a trace, there is a clear answer', () => {
  test('cut at any byte', PATIENCE, async () => {
    const { file, bytes } = recorded('v2-setup-failed');
    const header = bytes.indexOf(0x0a) + 1;
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length), async (length) => {
        const answer = await answered(file, bytes.subarray(0, length));
        if (length < header) expect(answer).toMatchObject({ code: length === 0 ? 'empty' : 'no-header' });
        else {
          const truncated = length > 0 && bytes[length - 1] !== 0x0a;
          expect(answer).toMatchObject({
            explanation: { truncated, damage: [] },
            replayed: { same: true, damage: [] },
          });
          expect((answer as Answer).text.includes('The last line of the trace is cut off')).toBe(truncated);
        }
      }),
      { numRuns: 100 },
    );
  });

  test.each(['v1-pass', 'v2-boot-failed', 'v2-lost-connection'])('any byte another one: %s', PATIENCE, async (name) => {
    const { file, bytes } = recorded(name);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const flipped = Buffer.from(bytes);
        flipped.writeUInt8(flipped.readUInt8(at) ^ flip, at);
        const answer = await answered(file, flipped);
        if (answer instanceof TraceError) {
          // Without a header and a single event nothing can be said.
          expect(lineOf(bytes, at)).toBe(1);
          expect(answer.message).toContain(file);
          return;
        }
        expect(answer.text).toContain('Run ');
        const [first] = answer.damage;
        // It is where the byte is, or it is a word that might as well have been so.
        if (first !== undefined) expect(first.place?.line).toBe(lineOf(bytes, at));
      }),
      { numRuns: 120 },
    );
  });
});
