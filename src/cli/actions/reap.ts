import { resolve } from 'node:path';
import { systemClock } from '../../events/index.ts';
import { type ReapedRun, reap } from '../../trace/index.ts';
import type { Io } from '../Io.ts';
import { openDebugLog } from '../live/debugLog.ts';
import { traceArgument } from '../live/traceArgument.ts';
import { shellWords } from '../words.ts';

/** Finishes dead runs: all that are known, or those given. @returns the exit code: 0 nothing is left, 1 something is */
export async function reapRuns(
  runs: readonly string[],
  { debug, forget, json }: { debug: boolean; forget: boolean; json: boolean },
  io: Io,
): Promise<number> {
  const log = debug ? await openDebugLog(io.stderr, io.stderr.isTTY === true) : null;
  const traces = await Promise.all(runs.map((run) => traceArgument(run, false, io.env)));
  const reaped = await reap({
    clock: systemClock,
    env: io.env,
    forget,
    ...(traces.length === 0 ? {} : { runs: traces.map((trace) => resolve(trace)) }),
    ...(log === null ? {} : { log }),
  });
  if (json) io.document({ runs: reaped });
  else io.stdout.write(renderReaped(reaped, runs.length > 0));
  return reaped.some(leavesSomething) ? 1 : 0;
}

/** Whether a person has still to do something about the run. */
function leavesSomething({ outcome, left }: ReapedRun): boolean {
  return left.length > 0 || outcome === 'unreadable' || outcome === 'lost';
}

/** What became of the runs, in words. Of runs that nobody asked for, only those with news are told. Pure. */
export function renderReaped(reaped: readonly ReapedRun[], all: boolean): string {
  const told = reaped.filter(({ outcome }) => all || (outcome !== 'clean' && outcome !== 'alive'));
  const alive = reaped.filter(({ outcome }) => outcome === 'alive').length;
  const lines = told.flatMap(linesOf);
  if (!all && alive > 0) lines.push(`${alive} ${alive === 1 ? 'run is' : 'runs are'} still going and left alone.`);
  if (told.some(({ outcome }) => outcome === 'lost')) {
    lines.push(
      'What a run took is named after it (trundle-RUN...). Once you have looked, trundle reap --forget strikes it from the list.',
    );
  }
  if (lines.length === 0) lines.push('Nothing to reap.');
  return lines.map((line) => `${line}\n`).join('');
}

function linesOf({ run, outcome, released, gone, left, kept, concluded, problem }: ReapedRun): string[] {
  const lines = [
    `Run ${run}: ${sentence(outcome, problem)}${concluded ? ' Its trace now says that it was killed.' : ''}`,
  ];
  for (const { kind, name } of released) lines.push(`  removed  ${kind} ${shellWords([name])}`);
  for (const { kind, name, reason } of gone)
    lines.push(`  gone     ${kind} ${shellWords([name])} was gone already: ${reason}`);
  for (const { kind, name, reason, command } of left) {
    lines.push(
      `  left     ${kind} ${shellWords([name])}: ${reason}${command === null ? '' : `; this removes it: ${command}`}`,
    );
  }
  for (const { testbed, enter } of kept)
    lines.push(`  kept     testbed ${testbed}: ${shellWords(enter)} gets in; trundle reap ${run} removes it`);
  return lines;
}

function sentence(outcome: ReapedRun['outcome'], problem: string | null): string {
  switch (outcome) {
    case 'kept':
      return 'has ended, and keeps what it was told to keep; left alone.';
    case 'finished':
      return 'finished.';
    case 'clean':
      return 'has ended and left nothing.';
    case 'alive':
      return 'is still going; left alone.';
    case 'elsewhere':
      return 'runs, or ran, on another host or in another container; left alone. Reap it there.';
    case 'busy':
      return 'is being reaped by another process.';
    case 'lost':
      return `what it left cannot be known: ${problem ?? 'its trace is gone'}.`;
    case 'forgotten':
      return 'forgotten; its trace was gone.';
    case 'unreadable':
      return `cannot be reaped: ${problem ?? 'its trace cannot be read'}.`;
  }
}
