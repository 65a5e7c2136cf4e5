import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EventType } from '../../../src/events/index.ts';
import { BadEventError, isEventType, parseEvent } from '../../../src/events/parseEvent.ts';
import { eventSchemas } from '../../../src/events/schemas/index.ts';
import { fact } from '../../support/facts.ts';
import { definitionOf, eventOf, isOptional } from './arbitrary.ts';

const TYPES = Object.keys(eventSchemas) as EventType[];
/** Of no type that a field may have. */
const WRONG = Symbol.for('wrong');

function issuesOf(value: unknown): readonly string[] {
  try {
    parseEvent(value);
    return [];
  } catch (error) {
    if (error instanceof BadEventError) return error.issues;
    throw error;
  }
}

describe.each(TYPES)('an event %s', (type) => {
  const fields = definitionOf(eventSchemas[type]).shape;

  test('is accepted as it is, whatever its fields hold', () => {
    fc.assert(
      fc.property(eventOf(type), (event) => {
        expect(parseEvent(JSON.parse(JSON.stringify(event)))).toEqual(JSON.parse(JSON.stringify(event)));
      }),
      { numRuns: 20 },
    );
  });

  test('is refused where a field is missing or wrong, naming it', () => {
    const event = fact(type);
    for (const name of Object.keys(fields)) {
      const { [name]: _taken, ...without } = event as unknown as Record<string, unknown>;
      const missing = issuesOf(without);
      if (isOptional(fields[name])) expect(missing).toEqual([]);
      else expect(missing).toEqual([expect.stringMatching(new RegExp(`^${name}(\\.|:)`))]);
      expect(issuesOf({ ...event, [name]: WRONG })).toEqual([expect.stringMatching(new RegExp(`^${name}(\\.|:)`))]);
    }
  });

  test('is refused where several fields are wrong, naming each', () => {
    const names = Object.keys(fields);
    const broken = { ...fact(type), ...Object.fromEntries(names.map((name) => [name, WRONG])) };
    expect(issuesOf(broken).map((issue) => issue.split(/[.:]/)[0])).toEqual(names);
  });
});

describe('the envelope', () => {
  test.each([
    ['v', 2],
    ['seq', 0],
    ['seq', 1.5],
    ['at', -1],
    ['run', null],
    ['testbed', 7],
    ['from', 'nobody'],
    ['type', null],
  ])('is refused with %s %j', (field, value) => {
    const issues = issuesOf({ ...fact('boot.completed'), [field]: value });
    expect(issues).toEqual([expect.stringMatching(new RegExp(`^${field}: `))]);
  });

  test.each([null, undefined, 'boot.completed', 7, []])('%j is no event', (value) => {
    expect(issuesOf(value).length).toBeGreaterThan(0);
  });
});

test('an event type that nobody knows is named', () => {
  expect(issuesOf({ ...fact('boot.completed'), type: 'boot.dreamt' })).toEqual([
    'type: no event type is called "boot.dreamt"',
  ]);
  // What every object has is no event type.
  for (const name of ['constructor', 'toString', '__proto__']) expect(isEventType(name)).toBe(false);
});
