import type { TrundleEvent } from '../../events/index.ts';
import type { TestOutcome } from '../runTests.ts';

/** A fold over a run's events that tells how its tests ended, in an order that does not depend on who was first. */
export class Outcomes {
  readonly #outcomes: TestOutcome[] = [];
  #expected: readonly string[] = [];

  note(event: TrundleEvent): void {
    if (event.type !== 'test.judged') return;
    this.#outcomes.push({ test: event.test, outcome: event.outcome, reason: event.reason });
  }

  /** The tests that run, in the order in which one testbed would run them. */
  expect(tests: readonly string[]): void {
    this.#expected = tests;
  }

  inOrder(): readonly TestOutcome[] {
    const place = ({ test }: TestOutcome) => this.#expected.indexOf(test);
    return this.#outcomes.toSorted((one, other) => place(one) - place(other));
  }
}
