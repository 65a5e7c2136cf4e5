import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Cause } from '../../../src/events/index.ts';
import { createMachines } from '../../../src/machines/index.ts';
import { CAUSES } from '../../../src/trace/explain/causes.ts';
import { explain } from '../../../src/trace/explain/explain.ts';
import { renderExplanation } from '../../../src/trace/explain/renderExplanation.ts';
import { readTrace } from '../../../src/trace/readTrace.ts';
import { replay } from '../../../src/trace/replay.ts';

const CORPUS = join(import.meta.dirname, '../../traces');

interface Ending {
  /** Null where the trace has no end. */
  readonly exitCode: number | null;
  readonly cause: Pick<Cause, 'class' | 'phase' | 'doing'> | null;
  /** Part of what an explanation must show; null where there is nothing to prove. */
  readonly proof: string | null;
}

const expected: Record<string, Ending> = JSON.parse(readFileSync(join(CORPUS, 'expected.json'), 'utf8'));
const recorded = readdirSync(CORPUS, { withFileTypes: true }).filter((entry) => entry.isDirectory());

test('every recorded trace has an expected end', () => {
  expect(recorded.map(({ name }) => name).toSorted()).toEqual(Object.keys(expected).toSorted());
});

test('every class of cause has a recorded trace', () => {
  const seen = new Set(Object.values(expected).flatMap(({ cause }) => cause?.class ?? []));
  expect([...seen].toSorted()).toEqual(Object.keys(CAUSES).toSorted());
});

describe.each(Object.entries(expected))('the recorded run %s', (name, { exitCode, cause, proof }) => {
  const open = () => readTrace(join(CORPUS, name), { validate: true });

  test("gets the same states, commands and verdict from today's machines", async () => {
    const trace = await open();
    const result = await replay(trace, { createMachines });
    expect(result).toMatchObject({ same: true, verdict: exitCode === null ? null : { exitCode, cause } });
    expect(result.same && result.decisions).toBeGreaterThan(0);
  });

  test('is explained: its cause, what proves it, and what to do next', async () => {
    const explanation = await explain(await open());
    const text = renderExplanation(explanation);
    expect(explanation).toMatchObject({ exitCode, cause });
    if (proof !== null) expect(text).toContain(proof);
    if (cause !== null) {
      expect(text).toContain(`${cause.class}: ${CAUSES[cause.class].meaning}`);
      expect(text).toContain(`It happened while ${cause.doing} (phase ${cause.phase})`);
      for (const step of CAUSES[cause.class].next) expect(text).toContain(`  - ${step}`);
    }
    // Whole scripts in an explanation hide what it says.
    for (const line of text.split('\n')) expect(line.length).toBeLessThan(450);
  });

  test('left nothing, unless it was killed and not reaped yet', async () => {
    const { left } = await explain(await open());
    expect(left.length > 0).toBe(exitCode === null);
  });
});

test.each([
  ['v2-kept', [{ testbed: 'tb1', enter: expect.arrayContaining(['schroot', '--run-session']) }]],
  ['v2-kept-reaped', []],
])('of the testbeds of %s, those are told that stay', async (name, kept) => {
  const explanation = await explain(await readTrace(join(CORPUS, name), { validate: true }));
  expect(explanation.kept).toMatchObject(kept);
  expect(explanation.kept).toHaveLength(kept.length);
});
