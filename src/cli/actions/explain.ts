import { explain, readTrace, renderExplanation } from '../../trace/index.ts';
import type { Io } from '../Io.ts';
import { traceArgument } from '../live/traceArgument.ts';

/** Tells a trace in words. @returns the exit code */
export async function explainTrace(
  argument: string | undefined,
  { last, json }: { last: boolean; json: boolean },
  io: Io,
): Promise<number> {
  const explanation = await explain(await readTrace(await traceArgument(argument, last, io.env)));
  if (json) io.document(explanation);
  else io.stdout.write(renderExplanation(explanation));
  return 0;
}
