import type { Cause, CommandResult, TrundleEvent } from '../events/index.ts';
import type { TraceLine } from './contract.ts';

/** A resource as it was written down when it was taken. */
export type Resource = TrundleEvent<'resource.acquired'>;

/** What a trace tells of one test. */
export interface TestRecord {
  test: string;
  restrictions: readonly string[];
  superficial: boolean;
  /** Null where it never ran. */
  command: string | null;
  result: CommandResult | null;
  /** In the words of autopkgtest's summary; null where it was not judged. */
  outcome: TrundleEvent<'test.judged'>['outcome'] | null;
  reason: string;
  /** Milliseconds from its start to its end; null where it has not both. */
  took: number | null;
}

/** Whether a line is an event, not a decision. Pure. */
export function isEvent(line: TraceLine): line is TrundleEvent {
  return 'seq' in line;
}

/** A fold that looks at one event after the other. */
export interface Fold<T> {
  see(event: TrundleEvent): void;
  result(): T;
}

/** Runs a fold over lines. Pure. */
export function fold<T>(lines: Iterable<TraceLine>, by: Fold<T>): T {
  for (const line of lines) if (isEvent(line)) by.see(line);
  return by.result();
}

/** Resources that were taken and not given back, in the order in which they were taken. Pure. */
export function resourcesLeft(lines: Iterable<TraceLine>): readonly Resource[] {
  return fold(lines, foldResources());
}

/** The cause of the run, or null where it has none or has not ended. Pure. */
export function causeOf(lines: Iterable<TraceLine>): Cause | null {
  return fold(lines, foldConclusion())?.cause ?? null;
}

/** The tests of the run in the order of the plan. Pure. */
export function testsOf(lines: Iterable<TraceLine>): readonly TestRecord[] {
  return fold(lines, foldTests());
}

/** Whether the run has ended and left nothing. Pure. */
export function foldSettled(): Fold<boolean> {
  const conclusion = foldConclusion();
  const resources = foldResources();
  return {
    see(event) {
      conclusion.see(event);
      resources.see(event);
    },
    result: () => conclusion.result() !== null && resources.result().length === 0,
  };
}

/** How a run ended, or null where it has not. Pure. */
export function foldConclusion(): Fold<TrundleEvent<'run.concluded'> | null> {
  let conclusion: TrundleEvent<'run.concluded'> | null = null;
  return {
    see(event) {
      if (event.type === 'run.concluded') conclusion = event;
    },
    result: () => conclusion,
  };
}

/** See {@link resourcesLeft}. */
export function foldResources(): Fold<readonly Resource[]> {
  const held = new Map<string, Resource>();
  return {
    see(event) {
      if (event.type === 'resource.acquired') held.set(event.resource, event);
      else if (event.type === 'resource.released') held.delete(event.resource);
    },
    result: () => [...held.values()],
  };
}

/** Testbeds that were left on purpose and of which something still stands: how a person gets into each. Pure. */
export function foldKept(): Fold<ReadonlyMap<string, TrundleEvent<'testbed.kept'>>> {
  const kept = new Map<string, { event: TrundleEvent<'testbed.kept'>; standing: Set<string> }>();
  return {
    see(event) {
      if (event.testbed === null) return;
      if (event.type === 'testbed.kept') kept.set(event.testbed, { event, standing: new Set(event.resources) });
      else if (event.type === 'resource.released') {
        const of = kept.get(event.testbed);
        if (of?.standing.delete(event.resource) && of.standing.size === 0) kept.delete(event.testbed);
      }
    },
    result: () => new Map([...kept].map(([testbed, { event }]) => [testbed, event])),
  };
}

/** See {@link testsOf}. */
export function foldTests(): Fold<readonly TestRecord[]> {
  const tests = new Map<string, TestRecord>();
  const starts = new Map<string, number>();
  const of = (test: string): TestRecord => {
    const known = tests.get(test);
    if (known !== undefined) return known;
    const record: TestRecord = {
      test,
      restrictions: [],
      superficial: false,
      command: null,
      result: null,
      outcome: null,
      reason: '',
      took: null,
    };
    tests.set(test, record);
    return record;
  };
  return {
    see(event) {
      if (event.type === 'test.planned') {
        Object.assign(of(event.test), { restrictions: event.restrictions, superficial: event.superficial });
      } else if (event.type === 'test.started') {
        of(event.test).command = event.command;
        starts.set(event.test, event.at);
      } else if (event.type === 'test.finished') {
        const start = starts.get(event.test);
        Object.assign(of(event.test), { result: event.result, took: start === undefined ? null : event.at - start });
      } else if (event.type === 'test.judged') {
        Object.assign(of(event.test), { outcome: event.outcome, reason: event.reason });
      }
    },
    result: () => [...tests.values()],
  };
}
