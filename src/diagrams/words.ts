/** A name from code as words: `removalWanted` is `removal wanted`. Pure. */
export function words(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);
}

/** Event types as a person would list them: those of one noun share it, `boot.completed, .failed`. Pure. */
export function listOfEvents(types: readonly string[]): string {
  const byNoun = new Map<string, string[]>();
  for (const type of types) {
    const [noun = '', ...rest] = type.split('.');
    byNoun.set(noun, [...(byNoun.get(noun) ?? []), rest.join('.')]);
  }
  return [...byNoun].map(([noun, participles]) => `${noun}.${participles.join(', .')}`).join(', ');
}

/**
 * Where something holds, said as shortly as the states allow: `any state`, `any state but absent`, or the states by
 * name. Pure.
 * @param some states of which it holds
 * @param all states of which it could hold
 */
export function whereOf(some: readonly string[], all: readonly string[]): string {
  const others = all.filter((name) => !some.includes(name));
  const known = some.every((name) => all.includes(name));
  if (known && others.length === 0) return 'any state';
  return known && others.length < some.length ? `any state but ${others.join(', ')}` : some.join(', ');
}

/** Breaks a text at its spaces into lines of at most so many characters, where it can. Pure. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
