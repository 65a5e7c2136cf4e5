import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { defaultTraceDirectory, pruneRuns, registerRun, runsDirectory } from '../../trace/index.ts';
import { UsageError } from '../UsageError.ts';
import { shellWords } from '../words.ts';

/** Ended runs whose traces are kept in the state directory. */
const KEPT_RUNS = 100;
/** How many more may gather before the oldest are removed: looking through them takes time. */
const SLACK = 20;

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

/**
 * Makes the run known to `trundle reap`. Call it before the run takes its first resource.
 * @throws UsageError where the trace itself was to stand in a place that cannot be written
 */
export function makeKnown(home: TraceHome, say: (message: string) => void, env = process.env): void {
  try {
    registerRun({ run: home.run, trace: home.directory }, env);
  } catch (error) {
    const problem = (error as Error).message;
    if (home.argument === home.run) {
      throw new UsageError(
        `the trace cannot be kept in ${runsDirectory(env)}: ${problem}`,
        'Name another directory with --trace DIR, or set XDG_STATE_HOME.',
      );
    }
    say(
      `this run cannot be registered in ${runsDirectory(env)} (${problem}); should it be killed, reap it with: trundle reap ${home.argument}`,
    );
  }
}

/** Removes the oldest traces of ended runs from the state directory, once too many have gathered. */
export async function tidyRuns(env = process.env): Promise<void> {
  const directory = runsDirectory(env);
  if (!existsSync(directory) || readdirSync(directory).length <= KEPT_RUNS + SLACK) return;
  await pruneRuns(KEPT_RUNS, env);
}
