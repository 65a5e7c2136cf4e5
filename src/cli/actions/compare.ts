import { compare, readTrace, renderComparison } from '../../trace/index.ts';
import type { Io } from '../Io.ts';
import { traceArgument } from '../live/traceArgument.ts';

/** Puts two traces side by side. @returns the exit code: 0 the same way, 1 they parted */
export async function compareTraces(
  good: string,
  bad: string | undefined,
  { last, json }: { last: boolean; json: boolean },
  io: Io,
): Promise<number> {
  const goodTrace = await readTrace(await traceArgument(good, false, io.env));
  const badTrace = await readTrace(await traceArgument(bad, last, io.env));
  const comparison = await compare(goodTrace, badTrace);
  if (json) io.document(comparison);
  else io.stdout.write(renderComparison(comparison));
  return comparison.parted === null ? 0 : 1;
}
