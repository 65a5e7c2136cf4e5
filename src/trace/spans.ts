/** What stands in a trace where a secret was. */
export const REDACTED = '[redacted]';

/** A piece of a text or of bytes: from, and to (exclusive). */
export type Span = [from: number, to: number];

/** Joins spans that overlap; those that only touch stay apart. Pure. */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0] || b[1] - a[1])) {
    const last = merged.at(-1);
    if (last !== undefined && from < last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}
