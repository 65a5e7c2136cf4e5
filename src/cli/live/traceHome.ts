import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  defaultTraceDirectory,
  pruneRuns,
  registerRun,
  runsDirectory,
  settleRun,
  TraceError,
} from '../../trace/index.ts';
import { UsageError } from '../UsageError.ts';
import { shellWords } from '../words.ts';

/** Ended runs whose traces are kept in the state directory. */
const KEPT_RUNS = 100;
/** How many more may gather before the oldest are removed: looking through them takes time. */
const SLACK = 20;
/** Name of the file, beside the runs, that tells how many stayed when they were last looked through. */
const TIDIED = 'tidied';

/** Where a run keeps its trace. */
export interface TraceHome {
  readonly run: string;
  /** Absolute. */
  readonly directory: string;
  /** How a person names the trace to `trundle explain`. */
  readonly argument: string;
}

/** Decides where a new run keeps its trace: where it is told to, beside its output, or in the state directory. */
export function traceHome(
  of: { trace?: string | undefined; outputDir?: string | undefined },
  env = process.env,
): TraceHome {
  const run = randomBytes(5).toString('hex');
  if (of.trace !== undefined) return { run, directory: resolve(of.trace), argument: pathArgument(of.trace) };
  if (of.outputDir !== undefined) {
    return { run, directory: resolve(of.outputDir, 'trace'), argument: pathArgument(of.outputDir) };
  }
  return { run, directory: defaultTraceDirectory(run, env), argument: run };
}

/** A path that cannot be taken for a run's id. */
function pathArgument(path: string): string {
  return shellWords([path.includes('/') ? path : join('.', path).replace(/^(?!\.)/, './')]);
}

/** Makes the run known to `trundle reap`. Call it before the run takes its first resource. */
export function makeKnown(home: TraceHome, say: (message: string) => void, env = process.env): void {
  try {
    registerRun({ run: home.run, trace: home.directory }, env);
  } catch (error) {
    const where = `${runsDirectory(env)} (${(error as Error).message})`;
    say(`this run cannot be registered in ${where}; should it be killed, reap it with: trundle reap ${home.argument}`);
  }
}

/** Notes that the run has ended and left nothing. Whoever deletes its trace then leaves no riddle to `trundle reap`. */
export function makeSettled(home: TraceHome, say: (message: string) => void, env = process.env): void {
  try {
    settleRun(home.run, env);
  } catch (error) {
    say(`the end of this run cannot be noted in ${runsDirectory(env)} (${(error as Error).message})`);
  }
}

/** The same error, with what to do about it where the trace itself has no place to stand. */
export function withRemedy(error: unknown, home: TraceHome): unknown {
  if (!(error instanceof TraceError) || error.code !== 'inaccessible') return error;
  const state = home.argument === home.run ? ', or set XDG_STATE_HOME' : '';
  return new UsageError(error.message, `Name another directory with --trace DIR${state}.`);
}

/**
 * Removes the oldest traces of ended runs from the state directory, once too many have gathered. Those that have to stay
 * are looked through again only when as many others have come.
 */
export async function tidyRuns(env = process.env): Promise<void> {
  const directory = runsDirectory(env);
  const count = () => (existsSync(directory) ? readdirSync(directory).length : 0);
  const now = count();
  if (now <= KEPT_RUNS + SLACK) return;
  const tidied = join(directory, '..', TIDIED);
  const before = stayed(tidied);
  if (now >= before && now <= before + SLACK) return;
  await pruneRuns(KEPT_RUNS, env);
  try {
    writeFileSync(tidied, String(count()));
  } catch {
    // Where nobody may write they are looked through again next time.
  }
}

function stayed(tidied: string): number {
  try {
    return Number(readFileSync(tidied, 'utf8')) || 0;
  } catch {
    // Never looked through, or nobody may read it.
    return 0;
  }
}
