import type { Trace } from '../readTrace.ts';
import type {
  Comparison,
  ConsoleDifference,
  ConsoleLine,
  SpanDifference,
  TestDifference,
  ValueDifference,
} from './contract.ts';
import { neutralLine } from './neutral.ts';
import { partingsOf } from './partings.ts';
import { readSide, type Side } from './side.ts';

/** Lines of a console that are told of each side. */
const MOST_LINES = 1000;

/**
 * Puts two traces side by side: where they parted first, by the states of their machines, and what else differs.
 * @throws TraceError where one cannot be read
 */
export async function compare(goodTrace: Trace, badTrace: Trace): Promise<Comparison> {
  const good = await readSide(goodTrace);
  const bad = await readSide(badTrace);
  const partings = partingsOf(good, bad);
  return {
    good: good.run,
    bad: bad.run,
    parted: partings.find(({ rejoined }) => !rejoined) ?? null,
    partings,
    tests: tests(good, bad),
    timing: timing(good, bad),
    environment: values(good.surroundings.values, bad.surroundings.values),
    packages: packages(good, bad),
    console: consoles(good, bad),
  };
}

function tests(good: Side, bad: Side): TestDifference[] {
  const verdict = (side: Side, test: string) => {
    const { outcome = null, reason = '' } = side.tests.find((each) => each.test === test) ?? {};
    return outcome === null ? null : { outcome, reason };
  };
  const names = new Set([...good.tests, ...bad.tests].map(({ test }) => test));
  return [...names]
    .map((test) => ({ test, good: verdict(good, test), bad: verdict(bad, test) }))
    .filter((each) => JSON.stringify(each.good) !== JSON.stringify(each.bad));
}

function timing(good: Side, bad: Side): SpanDifference[] {
  return [...new Set([...bad.spans.keys(), ...good.spans.keys()])].map((span) => {
    const [a = null, b = null] = [good.spans.get(span), bad.spans.get(span)];
    const notable = a !== null && b !== null && Math.abs(a - b) >= 200 && Math.max(a, b) >= 1.5 * Math.min(a, b);
    return { span, good: a, bad: b, notable };
  });
}

function values(good: ReadonlyMap<string, string>, bad: ReadonlyMap<string, string>): ValueDifference[] {
  return [...new Set([...good.keys(), ...bad.keys()])]
    .map((name) => ({ name, good: good.get(name) ?? null, bad: bad.get(name) ?? null }))
    .filter((each) => each.good !== each.bad);
}

function packages({ surroundings: good }: Side, { surroundings: bad }: Side): ValueDifference[] | null {
  if (good.packages === null || bad.packages === null) return null;
  return values(good.packages, bad.packages).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function consoles(good: Side, bad: Side): ConsoleDifference {
  return {
    good: { lines: good.console.length, only: onlyIn(good, bad) },
    bad: { lines: bad.console.length, only: onlyIn(bad, good) },
  };
}

/** Lines that the other console printed less often. */
function onlyIn(side: Side, other: Side): ConsoleLine[] {
  const there = new Map<string, number>();
  for (const { line } of other.console) {
    const key = neutralLine(line, other.run.run);
    there.set(key, (there.get(key) ?? 0) + 1);
  }
  const only = side.console.filter(({ line }) => {
    const key = neutralLine(line, side.run.run);
    const left = there.get(key) ?? 0;
    if (left > 0) there.set(key, left - 1);
    return left === 0;
  });
  return only.slice(0, MOST_LINES);
}
