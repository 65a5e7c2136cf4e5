import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { makeDirectory } from '../host/index.ts';
import type { Owner, TraceHeader } from './contract.ts';
import { errnoOf, messageOf } from './files.ts';
import { foldConclusion, foldResources, isEvent } from './folds.ts';
import { type Liveness, livenessOf, thisProcess } from './owner.ts';
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
}

/** Name of the file that points to a trace elsewhere. */
const POINTER = 'run.json';

/** Where the runs of this user are registered: `$XDG_STATE_HOME/trundle/runs`, by default below `~/.local/state`. */
export function runsDirectory(env: Environment = process.env): string {
  const state = env.XDG_STATE_HOME;
  // The specification has relative paths ignored.
  const base = state !== undefined && isAbsolute(state) ? state : join(env.HOME || homedir(), '.local', 'state');
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
  if (trace === directory) return;
  writeFileSync(join(directory, POINTER), `${JSON.stringify({ run: of.run, trace })}\n`, { mode: 0o600 });
}

/** The known runs, oldest first; those whose trace cannot be read come last. Changes nothing. */
export async function listRuns(env: Environment = process.env, seenFrom: Owner = thisProcess()): Promise<KnownRun[]> {
  const directory = runsDirectory(env);
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const runs = await Promise.all(names.map((run) => lookAt(run, traceOf(join(directory, run)), seenFrom)));
  return runs.sort((a, b) => compare(a.header?.started ?? '~', b.header?.started ?? '~') || compare(a.run, b.run));
}

/**
 * Forgets ended runs but for the youngest `keep`, with their traces where those are in the state directory; a trace
 * elsewhere belongs to whoever asked for it and stays. Runs with resources left are kept: reap needs them.
 * @returns the runs that were forgotten
 */
export async function pruneRuns(keep: number, env: Environment = process.env): Promise<string[]> {
  const ended = (await listRuns(env)).filter((run) => run.owner === 'dead' && run.concluded && run.left === 0);
  const forgotten = ended.slice(0, Math.max(0, ended.length - keep)).map(({ run }) => run);
  for (const run of forgotten) rmSync(defaultTraceDirectory(run, env), { recursive: true, force: true });
  return forgotten;
}

async function lookAt(run: string, trace: string, seenFrom: Owner): Promise<KnownRun> {
  const known: KnownRun = { run, trace, header: null, owner: 'unknown', concluded: false, left: 0, problem: null };
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
  }
  return known;
}

/** Where the trace of a registered run is. */
function traceOf(directory: string): string {
  try {
    const pointer: unknown = JSON.parse(readFileSync(join(directory, POINTER), 'utf8'));
    if (typeof pointer === 'object' && pointer !== null && 'trace' in pointer && typeof pointer.trace === 'string')
      return pointer.trace;
  } catch (error) {
    // No pointer: the trace is here. A damaged one: reading the trace here says what is missing.
    if (errnoOf(error) !== 'ENOENT' && !(error instanceof SyntaxError))
      throw new TraceError('inaccessible', directory, messageOf(error), { cause: error });
  }
  return directory;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
