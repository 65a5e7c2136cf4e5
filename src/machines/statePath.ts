/** A state value as a path: `ready.executing`. Parallel regions are joined by `+`. Pure. */
export function statePath(value: unknown): string {
  if (typeof value === 'string') return value;
  return Object.entries(value as Record<string, unknown>)
    .map(([key, child]) => {
      const below = statePath(child);
      return below === '' ? key : `${key}.${below}`;
    })
    .join('+');
}
