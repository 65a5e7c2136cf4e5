import { stat } from 'node:fs/promises';
import type { Cause, TrundleEvent } from '../../events/index.ts';
import {
  foldConclusion,
  foldKept,
  foldResources,
  foldTests,
  isEvent,
  type Resource,
  type TestRecord,
} from '../folds.ts';
import type { Trace } from '../readTrace.ts';
import { foldStage } from '../stage.ts';
import { TraceError } from '../TraceError.ts';
import { CAUSES } from './causes.ts';
import { describeEvent } from './describeEvent.ts';
import { removalCommand } from './removalCommand.ts';

/** An event told in words. */
export interface ToldEvent {
  seq: number;
  /** Milliseconds since the run began. */
  at: number;
  testbed: string | null;
  text: string;
}

/** A run in plain words, as data. */
export interface Explanation {
  run: string;
  trace: string;
  /** ISO 8601. */
  started: string;
  trundle: string;
  /** What was to be run; empty for a session without packages. */
  sources: readonly string[];
  /** Backend name and options as typed. */
  backend: readonly string[];
  /** Null where the trace ends before the run did. */
  exitCode: number | null;
  tests: readonly TestRecord[];
  cause: Cause | null;
  /** What the cause's class means. */
  meaning: string | null;
  /** The events that prove the cause. */
  evidence: readonly ToldEvent[];
  /** Where the run was when its trace ends; null where it was concluded. */
  interrupted: { phase: string; doing: string; last: ToldEvent | null } | null;
  /** Testbeds that stay on purpose, and how a person gets in. */
  kept: readonly { testbed: string; enter: readonly string[]; command: string }[];
  /** What is left, with the command that removes it (null: nobody knows one). */
  left: readonly { resource: string; kind: string; name: string; command: string | null }[];
  /** What to do next. */
  next: readonly string[];
  /** The last line was cut off. */
  truncated: boolean;
  /** What is wrong with the trace and where, place by place; what could not be read there is not told. */
  damage: readonly string[];
  /** Events that could be read. */
  events: number;
}

/** Bytes of a trace up to which every event is checked before it is told; of a larger one where there is a sign of damage. */
const CHECKED = 4 * 1024 * 1024;

/**
 * Reads a trace and tells what happened, from what it says alone; of one that leaves out what is damaged, all the rest.
 * @throws TraceError where the trace cannot be read
 */
export async function explain(trace: Trace): Promise<Explanation> {
  if (!trace.skips) return await explained(trace, {});
  if ((await stat(trace.file)).size > CHECKED) {
    try {
      const explanation = await explained(trace, {});
      if (trace.damage.length === 0) return explanation;
    } catch (error) {
      if (error instanceof TraceError) throw error;
    }
  }
  return await explained(trace, { validate: true });
}

async function explained(trace: Trace, how: { validate?: boolean }): Promise<Explanation> {
  const folds = {
    conclusion: foldConclusion(),
    resources: foldResources(),
    kept: foldKept(),
    tests: foldTests(),
    stage: foldStage(),
  };
  let start: TrundleEvent<'run.started'> | null = null;
  let last: TrundleEvent | null = null;
  for await (const lines of trace.batches(how)) {
    for (const line of lines) {
      if (!isEvent(line)) continue;
      for (const each of Object.values(folds)) each.see(line);
      if (line.type === 'run.started') start = line;
      last = line;
    }
  }
  const { end } = trace;
  const damage = trace.damage.map(({ message }) => message);
  const conclusion = folds.conclusion.result();
  const cause = conclusion?.cause ?? null;
  const kept = folds.kept.result();
  const stays = ({ resource, testbed }: Resource) => kept.get(testbed ?? '')?.resources.includes(resource) === true;
  const left = folds.resources.result().filter((resource) => !stays(resource));
  const stage = folds.stage.result();
  const guide = cause === null ? null : CAUSES[cause.class];
  return {
    run: trace.header.run,
    trace: trace.directory,
    started: trace.header.started,
    trundle: trace.header.trundle,
    sources: start?.sources ?? [],
    backend: start?.backend ?? [],
    exitCode: conclusion?.exitCode ?? null,
    tests: folds.tests.result(),
    cause,
    meaning: guide?.meaning ?? null,
    evidence: cause === null ? [] : await evidenceOf(trace, cause, how),
    interrupted:
      conclusion === null ? { phase: stage.phase, doing: stage.doing, last: last === null ? null : tell(last) } : null,
    kept: [...kept].map(([testbed, { enter }]) => ({ testbed, enter, command: `trundle reap ${trace.header.run}` })),
    left: left.map(told),
    next: nextSteps(guide?.next ?? [], left.length > 0, conclusion === null),
    truncated: end?.truncated ?? false,
    damage,
    events: end?.events ?? 0,
  };
}

/** A second reading: keeping every event until the cause is known would take the memory of the whole trace. */
async function evidenceOf(trace: Trace, cause: Cause, how: { validate?: boolean }): Promise<ToldEvent[]> {
  const wanted = new Set(cause.evidence);
  const found: ToldEvent[] = [];
  if (wanted.size === 0) return found;
  for await (const lines of trace.batches(how)) {
    for (const line of lines) {
      if (isEvent(line) && wanted.has(line.seq)) found.push(tell(line));
    }
    if (found.length === wanted.size) break;
  }
  return found;
}

function tell(event: TrundleEvent): ToldEvent {
  return { seq: event.seq, at: event.at, testbed: event.testbed, text: describeEvent(event) };
}

function told(resource: Resource): Explanation['left'][number] {
  return { resource: resource.resource, kind: resource.kind, name: resource.name, command: removalCommand(resource) };
}

function nextSteps(steps: readonly string[], anythingLeft: boolean, unfinished: boolean): string[] {
  const reap = 'run `trundle reap`, which removes what is left';
  const needsReap = anythingLeft && !steps.some((step) => step.includes('trundle reap'));
  const wait = 'if the run is still going, wait for its end; if it was killed, run `trundle reap` to finish it';
  return [...(unfinished ? [wait] : []), ...steps, ...(needsReap && !unfinished ? [reap] : [])];
}
