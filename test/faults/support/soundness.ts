import { expect } from 'vitest';
import type { Cause, CauseClass, EventType, Phase, TrundleEvent } from '../../../src/events/index.ts';
import { createMachines } from '../../../src/machines/index.ts';
import { isEvent, readTrace, replay, resourcesLeft, type TraceLine } from '../../../src/trace/index.ts';

/** How a run ended, as its report or its trace says. */
export interface Ending {
  readonly exitCode: number;
  readonly cause: Cause | null;
}

/** What a fault must come out as. */
export interface ExpectedFault {
  readonly class: CauseClass;
  readonly phase: Phase;
  readonly exitCode: number;
  /** Types of the events that prove it, in order. */
  readonly evidence: readonly EventType[];
}

/** Reads a whole trace, with every event checked against its schema. */
export async function readAll(trace: string): Promise<{ lines: TraceLine[]; events: TrundleEvent[] }> {
  const lines: TraceLine[] = [];
  for await (const line of (await readTrace(trace, { validate: true })).lines()) lines.push(line);
  return { lines, events: lines.filter(isEvent) };
}

/**
 * What holds after every run, whatever went wrong in it: the trace has one end and it is the last event, everything
 * that was taken was given back, a replay gives the same, and the cause points to events that came before.
 * @param left the ids of what nobody could remove, which the trace must name
 */
export async function expectSoundTrace(
  trace: string | null,
  ending: Ending,
  left: readonly string[] = [],
): Promise<TrundleEvent[]> {
  if (trace === null) throw new Error('the run kept no trace');
  const { lines, events } = await readAll(trace);
  const conclusions = events.filter((event) => event.type === 'run.concluded');
  expect(conclusions).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({ type: 'run.concluded', exitCode: ending.exitCode, cause: ending.cause });
  expect(resourcesLeft(lines).map(({ resource }) => resource)).toEqual(left);
  expect(await replay(await readTrace(trace), { createMachines })).toMatchObject({
    same: true,
    verdict: { exitCode: ending.exitCode, cause: ending.cause },
  });
  const last = conclusions[0]?.seq ?? 0;
  for (const seq of ending.cause?.evidence ?? []) expect(seq).toBeLessThan(last);
  return events;
}

/** That a run ended with this fault and no other, and that its trace proves it. */
export async function expectFault(
  ended: Ending & { trace: string | null },
  expected: ExpectedFault,
): Promise<TrundleEvent[]> {
  const events = await expectSoundTrace(ended.trace, ended);
  const bySeq = new Map(events.map((event) => [event.seq, event.type]));
  expect({
    class: ended.cause?.class,
    phase: ended.cause?.phase,
    exitCode: ended.exitCode,
    evidence: ended.cause?.evidence.map((seq) => bySeq.get(seq)),
  }).toEqual({ ...expected, evidence: [...expected.evidence] });
  return events;
}
