/** One transition for each of several event types, written in the order given. Pure. */
export function each<T extends string, X>(types: readonly T[], transition: X): Record<T, X> {
  return Object.fromEntries(types.map((type) => [type, transition])) as Record<T, X>;
}
