import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Cause, TrundleEvent } from '../events/index.ts';
import { EVENTS_FILE } from './files.ts';
import { isEvent } from './folds.ts';
import { readTrace, type Trace } from './readTrace.ts';
import { type Replay, type ReplayOptions, replay } from './replay.ts';
import { TraceError } from './TraceError.ts';
import { whatIf } from './whatIf.ts';

/** Name of the file beside traces that says how each ends. */
export const EXPECTED_FILE = 'expected.json';

/** How a trace is expected to end. */
export interface Expected {
  /** Null where the trace has no end. */
  exitCode: number | null;
  cause: Partial<Pick<Cause, 'class' | 'phase' | 'doing'>> | null;
  /** Why today's machines go another way to the same verdict, where they are meant to; only that is compared then. */
  otherwise?: string;
}

/** How the replay of one of several traces went. */
export interface GateResult {
  trace: string;
  run: string | null;
  replay: Replay | null;
  expected: Expected | null;
  /** What is wrong, in words; null where all is as expected. */
  problem: string | null;
}

/** The directories of all traces at or below a path, in the order of their names. */
export function tracesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  if (existsSync(join(path, EVENTS_FILE))) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(path, name))
    .toSorted()
    .flatMap((directory) => tracesBelow(directory));
}

/** Replays one trace of several, and compares its verdict with the expected one. Throws nothing that is the trace's. */
export async function gate(path: string, options: ReplayOptions): Promise<GateResult> {
  const expected = expectedOf(path);
  try {
    const trace = await readTrace(path);
    const replayed = await replay(trace, options);
    const problem = await problemOf(trace, replayed, expected, options);
    return { trace: path, run: trace.header.run, replay: replayed, expected, problem };
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    return { trace: path, run: null, replay: null, expected, problem: error.message };
  }
}

const DIFFERENT = "today's machines decide otherwise";

async function problemOf(
  trace: Trace,
  replayed: Replay,
  expected: Expected | null,
  { createMachines }: ReplayOptions,
): Promise<string | null> {
  const excused = expected?.otherwise !== undefined;
  if (replayed.same)
    return excused
      ? `today's machines decide as was recorded; take "otherwise" out of ${EXPECTED_FILE}`
      : verdictProblem(replayed.verdict, expected);
  if (!excused) return DIFFERENT;
  const events: TrundleEvent[] = [];
  for await (const lines of trace.batches()) events.push(...lines.filter(isEvent));
  return verdictProblem(whatIf(events, [], createMachines).after, expected);
}

/** What is recorded as a trace's end, for the file of what is expected. Pure. */
export function expectationOf({ replay: replayed, expected }: GateResult): Expected | null {
  if (replayed === null || !replayed.same) return expected;
  const { verdict } = replayed;
  if (verdict === null) return { ...expected, exitCode: null, cause: null };
  const { exitCode, cause } = verdict;
  const short = cause === null ? null : { class: cause.class, phase: cause.phase, doing: cause.doing };
  return { ...expected, exitCode, cause: short };
}

function expectedOf(path: string): Expected | null {
  const directory = path.endsWith(EVENTS_FILE) ? dirname(path) : path;
  const file = join(dirname(directory), EXPECTED_FILE);
  if (!existsSync(file)) return null;
  let all: unknown;
  try {
    all = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new TraceError('inaccessible', file, `it is no JSON: ${(error as Error).message}`);
  }
  return (all as Record<string, Expected | undefined>)[basename(directory)] ?? null;
}

function verdictProblem(
  verdict: { exitCode: number; cause: Cause | null } | null,
  expected: Expected | null,
): string | null {
  if (expected === null) return null;
  const exitCode = verdict?.exitCode ?? null;
  const cause = verdict?.cause ?? null;
  const words = (code: number | null, of: Expected['cause']) =>
    `${code === null ? 'no end' : `exit code ${code}`}${of === null ? '' : `, ${[of.class, of.phase, of.doing].filter(Boolean).join(', ')}`}`;
  const fields = Object.entries(expected.cause ?? {}) as [keyof Cause, string][];
  const same =
    exitCode === expected.exitCode &&
    (cause === null) === (expected.cause === null) &&
    fields.every(([name, value]) => cause?.[name] === value);
  return same
    ? null
    : `it comes to ${words(exitCode, cause)}; expected was ${words(expected.exitCode, expected.cause)}`;
}
