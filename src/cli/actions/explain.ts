import { explain, readTrace, renderExplanation } from '../../trace/index.ts';
import type { Io } from '../Io.ts';
import { traceArgument } from '../live/traceArgument.ts';

/** Tells a trace in words. @returns the exit code: 20 where not all of it could be read */
export async function explainTrace(
  argument: string | undefined,
  { last, json }: { last: boolean; json: boolean },
  io: Io,
): Promise<number> {
  const explanation = await explain(await readTrace(await traceArgument(argument, last, io.env), { skip: true }));
  if (json) io.document(explanation);
  else io.stdout.write(renderExplanation(explanation));
  return explanation.damage.length === 0 ? 0 : 20;
}
