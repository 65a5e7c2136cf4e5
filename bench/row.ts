/** One figure: what ours took, what the reference took in the same run, and what their ratio should be. */
export interface BenchRow {
  /** What was measured, as in `exec of true on an open connection`. */
  figure: string;
  ours: number;
  /** Null where there is nothing to compare with: the target then bounds `ours` itself. */
  reference: number | null;
  /** Unit of `ours` and `reference`, as in `ms` or `MB/s`. */
  unit: string;
  /** ours / reference; null without a reference. */
  ratio: number | null;
  /** What the ratio (or, without a reference, `ours`) must reach. */
  target: number;
  /** Whether a smaller or a greater figure is the better one. */
  better: 'lower' | 'higher';
  met: boolean;
}

/** What a module of bench/ is asked for. */
export interface BenchOptions {
  /** Small sizes and few repetitions: to see that the bench itself works. */
  quick: boolean;
}
