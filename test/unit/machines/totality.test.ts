import { describe, expect, test } from 'vitest';
import { eventSchemas } from '../../../src/events/schemas/index.ts';
import { IGNORES, RECORDED_ONLY, REFUSALS } from '../../../src/machines/index.ts';
import { alphabetOf, answersTo, KINDS, pathOf, restingStates } from '../../support/machineNodes.ts';

interface Row {
  machine: string;
  states: readonly string[] | '*';
  events: readonly string[];
}

function listed(rows: readonly Row[], machine: string, state: string, event: string): boolean {
  return rows.some(
    (row) =>
      row.machine === machine && (row.states === '*' || row.states.includes(state)) && row.events.includes(event),
  );
}

/** Entries of a table that speak of no state and event type that the table is about. */
function stale(rows: readonly Row[], isAbout: (answers: ReturnType<typeof answersTo>) => boolean): string[] {
  return rows.flatMap(({ machine, states, events }) => {
    const kind = KINDS.find((each) => each === machine);
    if (kind === undefined) return [`${machine}: no such machine`];
    const resting = restingStates(kind);
    if (states === '*') {
      return events
        .filter((event) => !resting.some((node) => isAbout(answersTo(node, event))))
        .map((event) => `${machine} * ${event}: not so anywhere (any more)`);
    }
    return states.flatMap((state) =>
      events.flatMap((event) => {
        const node = resting.find((each) => pathOf(each) === state);
        if (node === undefined) return [`${machine} ${state}: no such state to rest in`];
        if (!alphabetOf(kind).includes(event)) return [`${machine} ${event}: not in the alphabet`];
        return isAbout(answersTo(node, event)) ? [] : [`${machine} ${state} ${event}: not so (any more)`];
      }),
    );
  });
}

function twice(rows: readonly Row[]): string[] {
  const seen = new Set<string>();
  return rows.flatMap(({ machine, states, events }) =>
    (states === '*' ? ['*'] : states).flatMap((state) =>
      events.flatMap((event) => {
        const pair = `${machine} ${state} ${event}`;
        if (seen.has(pair)) return [pair];
        seen.add(pair);
        return [];
      }),
    ),
  );
}

const everyTransitionGuarded = (answers: ReturnType<typeof answersTo>) =>
  answers.length > 0 && answers.every((transition) => transition.guard !== undefined);

describe.each(KINDS)('the %s machine', (kind) => {
  test('answers every event type of its alphabet in every state, or says why not', () => {
    const holes = restingStates(kind).flatMap((node) =>
      alphabetOf(kind)
        .filter((type) => answersTo(node, type).length === 0 && !listed(IGNORES, kind, pathOf(node), type))
        .map((type) => `${pathOf(node)} ${type}`),
    );
    expect(holes).toEqual([]);
  });

  test('says what it means where every guard of an answer refuses', () => {
    const holes = restingStates(kind).flatMap((node) =>
      alphabetOf(kind)
        .filter((type) => everyTransitionGuarded(answersTo(node, type)) && !listed(REFUSALS, kind, pathOf(node), type))
        .map((type) => `${pathOf(node)} ${type}`),
    );
    expect(holes).toEqual([]);
  });

  test('has no transition for an event type outside its alphabet', () => {
    const deaf = restingStates(kind).flatMap((node) =>
      [...node.transitions.keys()].filter((type) => !alphabetOf(kind).includes(type)),
    );
    expect(deaf).toEqual([]);
  });

  test('has only known event types in its alphabet, each once', () => {
    expect(alphabetOf(kind).filter((type) => !Object.hasOwn(eventSchemas, type))).toEqual([]);
    expect(new Set(alphabetOf(kind)).size).toBe(alphabetOf(kind).length);
  });
});

describe('the table of deliberate ignores', () => {
  test('has no stale entry', () => {
    expect(stale(IGNORES, (answers) => answers.length === 0)).toEqual([]);
  });

  test('says nothing twice', () => {
    expect(twice(IGNORES)).toEqual([]);
  });
});

describe('the table of refusals', () => {
  test('has no stale entry', () => {
    expect(stale(REFUSALS, everyTransitionGuarded)).toEqual([]);
  });

  test('says nothing twice', () => {
    expect(twice(REFUSALS)).toEqual([]);
  });
});

describe('the vocabulary', () => {
  const heard = new Set(KINDS.flatMap((kind) => alphabetOf(kind)));

  test('holds no event type that no machine hears and no table explains', () => {
    const recorded = new Set<string>(RECORDED_ONLY.flatMap(({ events }) => events));
    expect(Object.keys(eventSchemas).filter((type) => !heard.has(type) && !recorded.has(type))).toEqual([]);
  });

  test('has every event type that is only recorded in one place, and none of them heard by a machine', () => {
    const recorded = RECORDED_ONLY.flatMap(({ events }) => events as readonly string[]);
    expect(recorded.filter((type) => heard.has(type) || !Object.hasOwn(eventSchemas, type))).toEqual([]);
    expect(new Set(recorded).size).toBe(recorded.length);
  });
});
