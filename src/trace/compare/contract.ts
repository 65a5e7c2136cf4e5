import type { Cause, EventType } from '../../events/index.ts';

/** Two traces side by side, as plain data. */
export interface Comparison {
  good: ComparedRun;
  bad: ComparedRun;
  /** Where they parted first, on a way that did not come to the same end; null where all ways did. */
  parted: Parting | null;
  /** Every place where they differ, in the order of the bad trace; `parted` is one of them. */
  partings: readonly Parting[];
  /** Tests that do not have the same verdict in both. */
  tests: readonly TestDifference[];
  /** What took how long, in the order of the bad trace; spans that only one of them has as well. */
  timing: readonly SpanDifference[];
  /** What is known of both surroundings and is not the same. */
  environment: readonly ValueDifference[];
  /** Packages that are not in the same version in both testbeds; null where a trace holds no list of them. */
  packages: readonly ValueDifference[] | null;
  console: ConsoleDifference;
}

/** One of the two runs. */
export interface ComparedRun {
  run: string;
  /** Directory of the trace. */
  trace: string;
  /** ISO 8601. */
  started: string;
  trundle: string;
  /** Null where the trace ends before the run did. */
  exitCode: number | null;
  cause: Cause | null;
  events: number;
  /** The last line was cut off. */
  truncated: boolean;
}

/** A place where the same machine does not take the same way in both runs. */
export interface Parting {
  /** Whose way it is: `connection:tb1.c1`, `command:tb1.x5` (by its id in the trace that has it), `run`. */
  lane: string;
  /** The same in words. */
  of: string;
  /** The last step that both took on this lane; null where they differ from the first. */
  last: { good: Step; bad: Step } | null;
  /** What each did then; empty where it did nothing that the other did not. */
  good: readonly Step[];
  bad: readonly Step[];
  /** The lane comes to the same end in both: a detour, as one dial more is. */
  rejoined: boolean;
}

/** An event that moved a machine, or that is a conclusion of one. */
export interface Step {
  seq: number;
  /** Milliseconds since its run began. */
  at: number;
  type: EventType;
  /** State of the lane's machine after it; null where the event moved no machine of this lane. */
  state: string | null;
  /** The event in words. */
  text: string;
}

/** A test by name. Null: that run has no verdict on it. */
export interface TestDifference {
  test: string;
  good: { outcome: string; reason: string } | null;
  bad: { outcome: string; reason: string } | null;
}

/** How long the same thing took, in milliseconds. Null: it has no beginning and end in that trace. */
export interface SpanDifference {
  /** As in `connecting`, `test greets`. */
  span: string;
  good: number | null;
  bad: number | null;
  /** Whether the difference is more than chance: half again as long, and 200 ms at least. */
  notable: boolean;
}

/** A thing by name. Null: that run does not tell, or does not have it. */
export interface ValueDifference {
  name: string;
  good: string | null;
  bad: string | null;
}

/** What only one of the consoles printed; times and numbers of processes do not count. */
export interface ConsoleDifference {
  good: { lines: number; only: readonly ConsoleLine[] };
  bad: { lines: number; only: readonly ConsoleLine[] };
}

/** A line of a console. */
export interface ConsoleLine {
  seq: number;
  at: number;
  line: string;
}
