import { expect, test } from 'vitest';
import type { StateValue } from 'xstate';
import { answersOf } from '../../../src/machines/answers.ts';
import { alphabetOf, answersTo, KINDS, machineOf, pathOf, restingStates } from '../../support/machineNodes.ts';

test.each(KINDS)('a %s machine is asked exactly about what one of its states answers', (kind) => {
  for (const node of restingStates(kind)) {
    const value = machineOf(kind).resolveState({ value: stateValue(node.path), context: {} }).value;
    const answered = alphabetOf(kind).filter((type) => answersTo(node, type).length > 0);
    expect([...answersOf(kind, value)].toSorted(), pathOf(node)).toEqual(answered.toSorted());
  }
});

/** `['ready', 'idle']` as a state value. */
function stateValue([first = '', ...rest]: readonly string[]): StateValue {
  return rest.length === 0 ? first : { [first]: stateValue(rest) };
}
