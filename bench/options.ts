/** What a module of bench/ is asked for. */
export interface BenchOptions {
  /** Small sizes and few repetitions: to see that the bench itself works. */
  readonly quick: boolean;
}

/** The middle one of some measurements: the figure that a single slow moment does not move. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('a median needs at least one value');
  return middle;
}

/** Milliseconds that something takes. */
export async function milliseconds(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/**
 * Measures ours and the reference by turns, so that a slow minute of the machine falls on both, and returns the
 * medians.
 */
export async function byTurns(
  rounds: number,
  ours: () => Promise<number>,
  reference: () => Promise<number>,
): Promise<{ ours: number; reference: number }> {
  const measured = { ours: [] as number[], reference: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    measured.ours.push(await ours());
    measured.reference.push(await reference());
  }
  return { ours: median(measured.ours), reference: median(measured.reference) };
}
