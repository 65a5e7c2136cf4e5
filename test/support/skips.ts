import type { Need } from './needs.ts';

/**
 * What CI may go without, each with the reason. All else it can be given, by a package or by how it is started: a suite
 * that is skipped there for want of it would pass for one that was run.
 */
export const ACCEPTED: Readonly<Partial<Record<Need, string>>> = {
  archive: 'it is a server of others, and may be down or out of reach of a CI that has all its packages already',
};

/** What becomes of a suite. */
export type Fate = { readonly kind: 'run' } | { readonly kind: 'skip' | 'fail'; readonly lacking: readonly Need[] };

/**
 * Decides it from what the machine lacks of the suite's needs: elsewhere it is skipped for all of that. In CI it fails
 * for what is not accepted, and only for that.
 */
export function fateOf(lacking: readonly Need[], inCi: boolean): Fate {
  const owed = inCi ? lacking.filter((need) => ACCEPTED[need] === undefined) : [];
  if (owed.length > 0) return { kind: 'fail', lacking: owed };
  return lacking.length > 0 ? { kind: 'skip', lacking } : { kind: 'run' };
}
