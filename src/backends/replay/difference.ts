/** Characters of a command line around a difference that are shown: before it, and from it on. */
const BEFORE = 40;
const AFTER = 60;

/**
 * Two command lines that are not the same, each shortened to what stands around the first difference; whole lines stay
 * whole where they are short. Of several forms of what was asked the one that comes nearest counts. Pure.
 */
export function aroundDifference(asked: readonly string[], recorded: string): { asked: string; recorded: string } {
  const [nearest = ''] = asked.toSorted((a, b) => inCommon(b, recorded) - inCommon(a, recorded));
  const at = inCommon(nearest, recorded);
  return { asked: around(nearest, at), recorded: around(recorded, at) };
}

/** A command line cut to what stands around a place; "..." stands for the rest. Pure. */
export function around(line: string, at: number): string {
  const from = at > BEFORE + AFTER || line.length > 2 * (BEFORE + AFTER) ? Math.max(0, at - BEFORE) : 0;
  const to = Math.min(line.length, Math.max(at, from + BEFORE) + AFTER);
  // A line end is an event's end to whoever reads it.
  const part = line.slice(from, to).replaceAll('\n', '\\n');
  return `${from > 0 ? '...' : ''}${part}${to < line.length ? '...' : ''}`;
}

/** How many characters two lines have in common from the beginning. */
function inCommon(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return at;
}

/** Whether a line is the recorded one; what was redacted may be anything. Pure. */
export function isSame(recorded: string, shown: readonly string[]): boolean {
  if (!recorded.includes('[redacted]')) return shown.includes(recorded);
  const parts = recorded.split('[redacted]').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`^${parts.join('.*')}$`, 's');
  return shown.some((each) => pattern.test(each));
}
