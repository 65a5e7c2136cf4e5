import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMachines } from '../../../src/machines/index.ts';
import { type Outcome, type Script, simulate } from '../../support/simulation/simulate.ts';

/** Enough numbers for every kind of thing to happen, each large enough to pick any of them. */
const choices = fc.array(fc.nat({ max: 0x7fff_ffff }), { minLength: 1, maxLength: 220, size: 'max' });

/** How many runs each property gets, where somebody wants to look longer. */
const RUNS = process.env.ANY_ORDER_RUNS === undefined ? null : Number(process.env.ANY_ORDER_RUNS);

function alwaysHolds(script: Omit<Script, 'choices'>, check: (outcome: Outcome) => void, numRuns = 150): void {
  fc.assert(
    fc.property(choices, (drawn) => check(simulate({ ...script, choices: drawn }))),
    // Making a counterexample small may take long: what is found until then will do. A busy machine makes fewer runs.
    { numRuns: RUNS ?? numRuns, ...(RUNS === null ? { interruptAfterTimeLimit: 12_000 } : {}) },
  );
}

function noBreach({ breaches }: Outcome): void {
  expect(breaches).toEqual([]);
}

describe('whatever happens, in whatever order', () => {
  test('all ends well ordered where the world keeps its contracts and goes on answering', () => {
    alwaysHolds({ chaos: false, finale: 'answering' }, noBreach);
  });

  test('all ends well ordered where the world falls silent and only deadlines pass', () => {
    alwaysHolds({ chaos: false, finale: 'silent' }, noBreach);
  });

  test('all ends well ordered where any event may come at any time', () => {
    alwaysHolds({ chaos: true, finale: 'answering' }, noBreach);
  });

  test('all ends well ordered where any event may come at any time, and then none', () => {
    alwaysHolds({ chaos: true, finale: 'silent' }, noBreach);
  });

  test('the same events always give the same reactions', () => {
    alwaysHolds(
      { chaos: true, finale: 'answering' },
      ({ events, reactions }) => {
        const again = createMachines();
        expect(events.map((event) => again.accept(event))).toEqual(reactions);
      },
      30,
    );
  });
});
