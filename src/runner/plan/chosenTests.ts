import { UsageError } from '../errors.ts';

/** Which tests of a package are to run. */
export interface Choice {
  /** Only these; empty for all. */
  readonly only: readonly string[];
  /** All but these. */
  readonly without: readonly string[];
}

/** Where nothing is said. */
export const EVERY_TEST: Choice = { only: [], without: [] };

/** What --test-name and --skip-test say. */
export interface GivenChoice {
  readonly testNames?: readonly string[];
  readonly skipTests?: readonly string[];
}

/**
 * What is asked of each package. `TEST` speaks of every package, `PACKAGE/TEST`, as in the summary, of one. Null for a
 * package of which no test is wanted, though tests of others are. Pure.
 * @param packages names, in order
 * @throws UsageError for a package that is not among them
 */
export function chosenTests(packages: readonly string[], given: GivenChoice): (Choice | null)[] {
  const only = given.testNames ?? [];
  const without = given.skipTests ?? [];
  for (const [option, words] of Object.entries({ '--test-name': only, '--skip-test': without })) {
    for (const word of words) mustBeKnown(option, word, packages);
  }
  return packages.map((name) => {
    const choice = { only: of(name, only), without: of(name, without) };
    return only.length > 0 && choice.only.length === 0 ? null : choice;
  });
}

/** What is said of one package, in its own names. */
function of(name: string, words: readonly string[]): string[] {
  return words.flatMap((word) => {
    if (!word.includes('/')) return [word];
    return word.startsWith(`${name}/`) ? [word.slice(name.length + 1)] : [];
  });
}

function mustBeKnown(option: string, word: string, packages: readonly string[]): void {
  if (!word.includes('/') || packages.some((name) => word.startsWith(`${name}/`))) return;
  throw new UsageError(
    `${option} ${word}: expected TEST or PACKAGE/TEST, and the ${packages.length === 1 ? 'package is' : 'packages are'} ${packages.join(', ')}`,
  );
}
