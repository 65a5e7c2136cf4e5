/** The most letters that a word may be away from another: more is no slip of the fingers. */
const MOST_APART = 3;

/**
 * The word most like the given one, for "did you mean"; null where none is like it: of three letters, two have to be
 * right. A word that only happens to look alike sends people the wrong way. Pure.
 */
export function nearest(word: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const apart = distance(word.toLowerCase(), candidate.toLowerCase());
    const limit = Math.min(MOST_APART, Math.floor(Math.max(word.length, candidate.length) / 3));
    if (apart < least && apart <= limit) {
      best = candidate;
      least = apart;
    }
  }
  return best;
}

/** ` Did you mean X?`, or nothing. Pure. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const like = nearest(word, candidates);
  return like === null ? '' : ` Did you mean ${like}?`;
}

/** The long option most like one that does not exist; the dashes, which all have, count for nothing. Pure. */
export function nearestOption(given: string, options: readonly string[]): string | null {
  const found = nearest(
    given.replace(/^--/, ''),
    options.map((option) => option.replace(/^--/, '')),
  );
  return found === null ? null : `--${found}`;
}

/** Letters to add, remove, change or swap with their neighbour (the optimal string alignment distance). */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) least = Math.min(least, at(i - 2, j - 2) + 1);
      (rows[i] as number[])[j] = least;
    }
  }
  return at(a.length, b.length);
}
