import { align } from './align.ts';
import type { Parting, Step } from './contract.ts';
import type { Side, Way } from './side.ts';

interface Placed {
  parting: Parting;
  /** Where in the bad trace it is: a seq, or between two. */
  place: number;
}

/** Pairs of steps that both runs took, by seq, in the order of the good one. */
type Anchors = readonly (readonly [good: number, bad: number])[];

/** Every place where two runs differ, in the order of the bad one. Pure. */
export function partingsOf(good: Side, bad: Side): Parting[] {
  const shared = [...good.ways].flatMap(([key, way]) => {
    const other = bad.ways.get(key);
    return other === undefined ? [] : [{ good: way, bad: other, pairs: align(way.keys, other.keys) }];
  });
  const anchors = shared
    .flatMap(({ good: way, bad: other, pairs }) =>
      pairs.map(([a, b]) => [stepAt(way, a).seq, stepAt(other, b).seq] as const),
    )
    .toSorted(([a], [b]) => a - b);
  const placed: Placed[] = [];
  for (const { good: way, bad: other, pairs } of shared) placed.push(...along(way, other, pairs, anchors));
  for (const [key, way] of good.ways) {
    if (!bad.ways.has(key)) placed.push(alone(way, 'good', placeOf(way.steps, [], anchors)));
  }
  for (const [key, way] of bad.ways) {
    if (!good.ways.has(key)) placed.push(alone(way, 'bad', placeOf([], way.steps, anchors)));
  }
  return placed.toSorted(inOrder).map(({ parting }) => parting);
}

function inOrder(a: Placed, b: Placed): number {
  if (a.place !== b.place) return a.place < b.place ? -1 : 1;
  return (a.parting.good[0]?.seq ?? 0) - (b.parting.good[0]?.seq ?? 0);
}

/** The gaps of a way that both have. */
function along(good: Way, bad: Way, pairs: readonly [number, number][], anchors: Anchors): Placed[] {
  const placed: Placed[] = [];
  const [lastA, lastB] = pairs.at(-1) ?? [];
  const rejoined = lastA === good.steps.length - 1 && lastB === bad.steps.length - 1;
  let [a, b] = [0, 0];
  for (const pair of [...pairs, null]) {
    const [nextA, nextB] = pair ?? [good.steps.length, bad.steps.length];
    if (nextA > a || nextB > b) {
      const ways = { good: good.steps.slice(a, nextA), bad: bad.steps.slice(b, nextB) };
      const last = a === 0 || b === 0 ? null : { good: stepAt(good, a - 1), bad: stepAt(bad, b - 1) };
      const parting = { lane: bad.lane.name, of: bad.lane.of, last, ...ways, rejoined };
      placed.push({ parting, place: placeOf(ways.good, ways.bad, anchors) });
    }
    [a, b] = [nextA + 1, nextB + 1];
  }
  return placed;
}

function alone({ lane, steps }: Way, side: 'good' | 'bad', place: number): Placed {
  const ways = side === 'good' ? { good: steps, bad: [] } : { good: [], bad: steps };
  return { parting: { lane: lane.name, of: lane.of, last: null, ...ways, rejoined: false }, place };
}

/**
 * What the bad run did is where it did it. What only the good one did is before the next thing that both did: had the
 * bad one failed by then, that came first.
 */
function placeOf(good: readonly Step[], bad: readonly Step[], anchors: Anchors): number {
  const [first] = bad;
  if (first !== undefined) return first.seq;
  const seq = good[0]?.seq ?? 0;
  const next = anchors.find(([there]) => there > seq);
  return next === undefined ? Number.POSITIVE_INFINITY : next[1] - 0.5;
}

function stepAt(way: Way, index: number): Step {
  return way.steps[index] as Step;
}
