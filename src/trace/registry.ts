import { existsSync, readdirSync, rmSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { homeDirectory, makeDirectory } from '../host/index.ts';
import type { Owner, TraceHeader } from './contract.ts';
import { errnoOf } from './files.ts';
import { foldConclusion, foldResources, isEvent } from './folds.ts';
import { type Liveness, livenessOf, thisProcess } from './owner.ts';
import { readPointer, writePointer } from './pointer.ts';
import { readTrace } from './readTrace.ts';
import { TraceError } from './TraceError.ts';

/** The variables that say where state is kept (XDG Base Directory Specification). */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A run that this machine knows of. */
export interface KnownRun {
  run: string;
  /** The directory of its trace. */
  trace: string;
  /** Null where the trace cannot be read; `problem` says why. */
  header: TraceHeader | null;
  /** Whether the process that writes the trace lives. */
  owner: Liveness;
  /** Whether the trace says how the run ended. */
  concluded: boolean;
  /** How many resources the trace has left. */
  left: number;
  problem: string | null;
  /** The trace is not there any more. `owner` and `concluded` are what the registry itself knows then. */
  missing: boolean;
}

/** Where the runs of this user are registered: `$XDG_STATE_HOME/trundle/runs`, by default below `~/.local/state`. */
export function runsDirectory(env: Environment = process.env): string {
  const state = env.XDG_STATE_HOME;
  // The specification has relative paths ignored.
  const base = state !== undefined && isAbsolute(state) ? state : join(env.HOME || homeDirectory(), '.local', 'state');
  return join(base, 'trundle', 'runs');
}

/** Where a run keeps its trace if nobody says otherwise. @throws RangeError for an id that is no file name */
export function defaultTraceDirectory(run: string, env: Environment = process.env): string {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(run))
    throw new RangeError(`${JSON.stringify(run)} cannot be the id of a run: letters, digits, ".", "_" and "-" only`);
  return join(runsDirectory(env), run);
}

/**
 * Makes a run known, so that reap finds its trace. A trace in its default directory is known by being there; any
 * other gets a pointer. Call it before the run takes its first resource.
 */
export function registerRun(of: { run: string; trace: string }, env: Environment = process.env): void {
  const directory = defaultTraceDirectory(of.run, env);
  makeDirectory(directory, 0o700);
  const trace = resolve(of.trace);
  if (trace !== directory) writePointer(directory, { run: of.run, trace, owner: thisProcess() });
}

/** Notes that a registered run has ended and left nothing, so that its trace may be deleted wherever it is. */
export function settleRun(run: string, env: Environment = process.env): void {
  const directory = defaultTraceDirectory(run, env);
  const pointer = existsSync(directory) ? readPointer(directory) : null;
  if (pointer !== null) writePointer(directory, { ...pointer, ended: true });
}

/** Strikes a run from the registry, with its trace where that is in the state directory. */
export function forgetRun(run: string, env: Environment = process.env): void {
  rmSync(defaultTraceDirectory(run, env), { recursive: true, force: true });
}

/** The known runs, oldest first; those whose trace cannot be read come last. Changes nothing. */
export async function listRuns(env: Environment = process.env, seenFrom: Owner = thisProcess()): Promise<KnownRun[]> {
  const directory = runsDirectory(env);
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const runs = await Promise.all(names.map((run) => lookAt(run, join(directory, run), seenFrom)));
  return runs.sort((a, b) => compare(a.header?.started ?? '~', b.header?.started ?? '~') || compare(a.run, b.run));
}

/**
 * Forgets ended runs but for the youngest `keep`, with their traces where those are in the state directory; a trace
 * elsewhere belongs to whoever asked for it and stays, and where that has deleted it, the run is no news. Runs with
 * resources left are kept: reap needs them.
 * @returns the runs that were forgotten
 */
export async function pruneRuns(
  keep: number,
  env: Environment = process.env,
  seenFrom: Owner = thisProcess(),
): Promise<string[]> {
  const ended = (await listRuns(env, seenFrom)).filter(
    (run) => run.owner === 'dead' && run.concluded && run.left === 0,
  );
  const readable = ended.filter(({ missing }) => !missing);
  const old = readable.slice(0, Math.max(0, readable.length - keep));
  const forgotten = [...old, ...ended.filter(({ missing }) => missing)].map(({ run }) => run);
  for (const run of forgotten) forgetRun(run, env);
  return forgotten;
}

async function lookAt(run: string, directory: string, seenFrom: Owner): Promise<KnownRun> {
  const pointer = readPointer(directory);
  const trace = pointer?.trace ?? directory;
  const known: KnownRun = {
    run,
    trace,
    header: null,
    owner: 'unknown',
    concluded: false,
    left: 0,
    problem: null,
    missing: false,
  };
  try {
    const reading = await readTrace(trace);
    known.header = reading.header;
    known.owner = livenessOf(reading.header.owner, seenFrom);
    const folds = [foldConclusion(), foldResources()] as const;
    for await (const lines of reading.batches()) {
      for (const line of lines) if (isEvent(line)) for (const each of folds) each.see(line);
    }
    known.concluded = folds[0].result() !== null;
    known.left = folds[1].result().length;
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    known.problem = error.message;
    known.missing = errnoOf(error.cause) === 'ENOENT';
  }
  if (known.missing) {
    // A run writes its trace before anything else: one that has none, and no owner either, goes no more.
    known.owner = pointer?.owner === undefined ? 'dead' : livenessOf(pointer.owner, seenFrom);
    known.concluded = pointer?.ended === true;
  }
  return known;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
