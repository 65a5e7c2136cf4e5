import { type Loopback, withLoopback } from './loopback.ts';
import { type BenchOptions, byTurns, median, milliseconds } from './options.ts';
import type { BenchRow } from './row.ts';

const TARGET = 0.4;

/** How long one command takes on a connection that is already open. */
export async function rows({ quick }: BenchOptions): Promise<BenchRow[]> {
  return await withLoopback(async (loopback) => [
    await execs(loopback, 'exec of true', 1, quick ? 20 : 200),
    await execs(loopback, 'exec of true, ten at once, each', 10, quick ? 5 : 50),
  ]);
}

async function execs(loopback: Loopback, figure: string, atOnce: number, times: number): Promise<BenchRow> {
  const ours = async () => {
    const { status } = await loopback.testbed.exec(['true']);
    if (status !== 0) throw new Error(`true ended with ${status}`);
  };
  const { ours: mine, reference } = await byTurns(
    5,
    () => each(times, atOnce, ours),
    () => each(times, atOnce, () => loopback.ssh('true')),
  );
  const ratio = mine / reference;
  return { figure, ours: mine, reference, unit: 'ms', ratio, target: `<= ${TARGET} x`, met: ratio <= TARGET };
}

/** Milliseconds per command, over some batches. */
async function each(times: number, atOnce: number, command: () => Promise<void>): Promise<number> {
  const batches: number[] = [];
  for (let batch = 0; batch < times; batch++) {
    batches.push(await milliseconds(() => Promise.all(Array.from({ length: atOnce }, command))));
  }
  return median(batches) / atOnce;
}
