import type { TrundleEvent } from '../../events/index.ts';
import type { PackageOutcome, TestOutcome } from '../runTests.ts';

/** A fold over a run's events that tells how its tests ended, in an order that does not depend on who was first. */
export class Outcomes {
  readonly #names: readonly string[];
  readonly #tests: TestOutcome[] = [];
  readonly #packages: PackageOutcome[] = [];
  readonly #packageOf = new Map<string, string>();
  readonly #expected: string[] = [];

  /** @param names of the packages, in their order; none where there is one only */
  constructor(names: readonly string[]) {
    this.#names = names;
  }

  note(event: TrundleEvent): void {
    if (event.type === 'test.planned' && event.package !== undefined) {
      this.#packageOf.set(event.test, event.package);
    } else if (event.type === 'test.judged') {
      this.#tests.push({ test: event.test, outcome: event.outcome, reason: event.reason });
    } else if (event.type === 'package.concluded') {
      this.#packages.push({ package: event.package, exitCode: event.exitCode, cause: event.cause });
    }
  }

  /** Tests that run, in the order in which one testbed would run them. */
  expect(tests: readonly string[]): void {
    this.#expected.push(...tests);
  }

  inOrder(): readonly TestOutcome[] {
    const rank = ({ test }: TestOutcome) => this.#names.indexOf(this.#packageOf.get(test) ?? '');
    const place = ({ test }: TestOutcome) => this.#expected.indexOf(test);
    return this.#tests.toSorted((one, other) => rank(one) - rank(other) || place(one) - place(other));
  }

  /** The packages that were taken in hand. */
  packages(): readonly PackageOutcome[] {
    const rank = (of: PackageOutcome) => this.#names.indexOf(of.package);
    return this.#packages.toSorted((one, other) => rank(one) - rank(other));
  }
}
