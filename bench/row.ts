/** One line of the bench's table: a figure of ours against a reference measured in the same run. */
export interface BenchRow {
  /** What was measured, in a few words. */
  figure: string;
  ours: number;
  reference: number;
  /** Of `ours` and `reference`. */
  unit: string;
  /** Ours by reference. */
  ratio: number;
  /** What is aimed at, as in `>= 0.8 x`; empty where a row only shows what the machine takes. */
  target: string;
  /** Null without a target. */
  met: boolean | null;
}

/** A row of two times in milliseconds, of which ours may be at most `target` times the other. */
export function timeRow(
  figure: string,
  { ours, reference }: { ours: number; reference: number },
  target: number,
): BenchRow {
  const ratio = ours / reference;
  return { figure, ours, reference, unit: 'ms', ratio, target: `<= ${target} x`, met: ratio <= target };
}
