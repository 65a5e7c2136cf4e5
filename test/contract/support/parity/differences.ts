import { NOTHING, type Seen } from './seen.ts';

/** Who looks: the user of the endpoint, or the ordinary user that it suggests. */
export type As = 'root' | 'ordinary';

/** What was seen, by backend and by who looked. */
export type Report = Readonly<Record<string, Readonly<Partial<Record<As, Seen>>>>>;

/** Why some backends show another value than most. */
export interface Explanation {
  /** The whole name of a fact, or a pattern for several. */
  readonly fact: string | RegExp;
  /** Names of the backends that it holds for. */
  readonly backends: RegExp;
  /** Absent: whoever looks. */
  readonly as?: As;
  readonly why: string;
}

/** One value that is not what most backends show. */
export interface Difference {
  readonly fact: string;
  readonly as: As;
  readonly backend: string;
  readonly value: string;
  readonly usual: string;
}

/** All facts that anybody saw, in order. Pure. */
export function factsOf(report: Report, as: As): string[] {
  const names = Object.values(report).flatMap((views) => Object.keys(views[as] ?? {}));
  return [...new Set(names)].toSorted();
}

/** What most backends show of a fact; of two values that are equally frequent, the one that sorts first. Pure. */
export function usualValue(report: Report, fact: string, as: As): string {
  const counts = new Map<string, number>();
  for (const views of Object.values(report)) {
    const seen = views[as];
    if (seen === undefined) continue;
    const value = seen[fact] ?? NOTHING;
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const [first] = [...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return first?.[0] ?? NOTHING;
}

/** Every value that is not the usual one. Pure. */
export function differencesOf(report: Report): Difference[] {
  return (['root', 'ordinary'] as const).flatMap((as) =>
    factsOf(report, as).flatMap((fact) => {
      const usual = usualValue(report, fact, as);
      return Object.entries(report).flatMap(([backend, views]) => {
        const seen = views[as];
        const value = seen?.[fact] ?? NOTHING;
        return seen === undefined || value === usual ? [] : [{ fact, as, backend, value, usual }];
      });
    }),
  );
}

/** The explanation of a difference; undefined where nobody has given one. Pure. */
export function explanationOf(difference: Difference, explanations: readonly Explanation[]): Explanation | undefined {
  return explanations.find(
    ({ fact, backends, as }) =>
      (typeof fact === 'string' ? fact === difference.fact : fact.test(difference.fact)) &&
      backends.test(difference.backend) &&
      (as === undefined || as === difference.as),
  );
}

/** What nobody has explained, and explanations that explain nothing any more. Pure. */
export function judge(
  report: Report,
  explanations: readonly Explanation[],
): { unexplained: Difference[]; stale: Explanation[] } {
  const used = new Set<Explanation>();
  const unexplained = differencesOf(report).filter((difference) => {
    const explanation = explanationOf(difference, explanations);
    if (explanation !== undefined) used.add(explanation);
    return explanation === undefined;
  });
  return { unexplained, stale: explanations.filter((explanation) => !used.has(explanation)) };
}
