import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { didYouMean } from '../../events/index.ts';
import { type KnownRun, listRuns } from '../../trace/index.ts';
import { UsageError } from '../UsageError.ts';

/** Name of the file of events in a trace's directory (docs/trace-format.md). */
const EVENTS = 'events.jsonl';

/**
 * The trace that a person means: by the directory of the trace, by an output directory that holds one, by its file
 * of events, by the id of a run or its beginning, or the last run's.
 * @throws UsageError where there is none
 */
export async function traceArgument(argument: string | undefined, last: boolean, env = process.env): Promise<string> {
  if (last) return await lastTrace(argument, env);
  if (argument === undefined) {
    throw new UsageError('which trace? Give its directory, the id of a run, or --last for the last run.');
  }
  return traceAt(argument) ?? (await traceOfRun(argument, env));
}

async function lastTrace(argument: string | undefined, env: NodeJS.ProcessEnv): Promise<string> {
  if (argument !== undefined) throw new UsageError(`either --last or ${argument}, not both`);
  const run = (await listRuns(env)).filter(({ header }) => header !== null).at(-1);
  if (run === undefined) throw new UsageError('no run is known yet on this machine');
  return run.trace;
}

/** Null where the argument is no path to a trace. */
function traceAt(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  if (!stat.isDirectory()) return path;
  for (const directory of [path, join(path, 'trace')]) if (existsSync(join(directory, EVENTS))) return directory;
  return null;
}

async function traceOfRun(argument: string, env: NodeJS.ProcessEnv): Promise<string> {
  if (argument.includes('/')) {
    const there = existsSync(argument);
    throw new UsageError(
      there ? `${argument} holds no trace, and no directory "trace" with one` : `${argument} does not exist`,
    );
  }
  const runs = await listRuns(env);
  const exact = runs.find(({ run }) => run === argument);
  if (exact !== undefined) return exact.trace;
  const alike = argument.length < 3 ? [] : runs.filter(({ run }) => run.startsWith(argument));
  const [only, ...others] = alike;
  if (only !== undefined && others.length === 0) return only.trace;
  throw new UsageError(noRun(argument, alike, runs), 'Give the directory of a trace, the id of a run, or --last.');
}

function noRun(argument: string, alike: readonly KnownRun[], runs: readonly KnownRun[]): string {
  if (alike.length > 1)
    return `${argument} is the beginning of several runs: ${alike.map(({ run }) => run).join(', ')}`;
  const ids = runs.map(({ run }) => run);
  return `there is no trace at ${argument}, and no run has that id.${didYouMean(argument, ids)}`;
}
