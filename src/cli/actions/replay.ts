import { createMachines } from '../../testbed/index.ts';
import { type DifferentReplay, type Replay, readTrace, replay, type SameReplay } from '../../trace/index.ts';
import type { Io } from '../Io.ts';
import { traceArgument } from '../live/traceArgument.ts';

/** Folds a trace through today's machines. @returns the exit code: 0 the same, 1 different */
export async function replayTrace(
  argument: string | undefined,
  { last, json }: { last: boolean; json: boolean },
  io: Io,
): Promise<number> {
  const trace = await readTrace(await traceArgument(argument, last, io.env));
  const replayed = await replay(trace, { createMachines });
  if (json) io.document({ run: trace.header.run, trace: trace.directory, ...replayed });
  else io.stdout.write(renderReplay(trace.header.run, replayed));
  return replayed.same ? 0 : 1;
}

/** A replay in words. Pure. */
export function renderReplay(run: string, replayed: Replay): string {
  return replayed.same ? same(run, replayed) : different(run, replayed);
}

function same(run: string, { events, decisions, verdict }: SameReplay): string {
  const what = `${events} events, ${decisions} decisions`;
  if (verdict === null)
    return `Run ${run}: the same as far as it goes (${what}). The trace has no verdict: the run was cut off.\n`;
  const cause = verdict.cause === null ? '' : `, ${verdict.cause.class} while ${verdict.cause.doing}`;
  return `Run ${run}: the same (${what}), to the same verdict: exit code ${verdict.exitCode}${cause}.\n`;
}

function different(run: string, { at, machine, recorded, now }: DifferentReplay): string {
  const who = machine === null ? '' : `, machine ${machine}`;
  const shown = (value: unknown) => (value === null ? 'nothing' : JSON.stringify(value));
  return `Run ${run}: different at event ${at}${who}.\n  recorded  ${shown(recorded)}\n  now       ${shown(now)}\n`;
}
