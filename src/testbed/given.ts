import { inspect } from 'node:util';

/** What a value must be that plain JavaScript hands over, where no compiler has looked at it. */
export interface Kind {
  /** As it stands after "must be". */
  readonly expected: string;
  fits(value: unknown): boolean;
  /** Of what stands there only the type is told: it may be a secret. */
  readonly hidden?: boolean;
}

/** A kind for each option; the compiler sees to it that none is forgotten. */
export type Kinds<Options> = { readonly [Name in keyof Required<Options>]: Kind };

/** Makes the error of a value that is none of those expected. */
export type Refuse = (message: string) => Error;

const refuseType: Refuse = (message) => new TypeError(message);

export const text = kind('a string', (value) => typeof value === 'string');
export const path = kind('a path', (value) => typeof value === 'string' && value !== '');
export const flag = kind('true or false', (value) => typeof value === 'boolean');
export const callback = kind('a function', (value) => typeof value === 'function');
export const object = kind('an object', isObject);
export const texts = kind(
  'an array of strings',
  (value) => Array.isArray(value) && value.every((each) => typeof each === 'string'),
);
export const fromOne = kind('a whole number from 1 on', (value) => Number.isInteger(value) && (value as number) >= 1);
export const variables = hidden(
  kind('an object of strings, by the names of variables', (value) => isObject(value) && !Array.isArray(value)),
);
/** Duck-typed: a test environment may have an AbortSignal of its own. */
export const abortSignal = kind(
  'an AbortSignal',
  (value) => isObject(value) && 'aborted' in value && typeof value.addEventListener === 'function',
);
export const readable = kind(
  'a Readable of node:stream',
  (value) => isObject(value) && typeof value.pipe === 'function',
);
export const writable = kind(
  'a Writable of node:stream',
  (value) => isObject(value) && typeof value.write === 'function' && typeof value.on === 'function',
);

/** A length of time, or whatever else must be above nothing: NaN would be over at once, and Infinity is in no trace. */
export function above0(expected: string): Kind {
  return kind(expected, (value) => Number.isFinite(value) && (value as number) > 0);
}

/** One of some words. */
export function oneOf(...values: readonly unknown[]): Kind {
  const words = values.map((value) => JSON.stringify(value));
  return kind(`${words.slice(0, -1).join(', ')} or ${words.at(-1)}`, (value) => values.includes(value));
}

/** A whole number in a range. */
export function wholeNumber(least: number, most: number): Kind {
  const inRange = (value: unknown) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
  return kind(`a whole number from ${least} to ${most}`, inRange);
}

/** The kind, or null. */
export function orNull(of: Kind): Kind {
  return kind(`${of.expected}, or null`, (value) => value === null || of.fits(value));
}

/** The kind, of which no value is told. */
export function hidden(of: Kind): Kind {
  return { ...of, hidden: true };
}

/** @throws Error that names the place, what must stand there, and what does */
export function mustBe(place: string, value: unknown, of: Kind, refuse: Refuse = refuseType): void {
  if (of.fits(value)) return;
  throw refuse(`${place} must be ${of.expected}, not ${of.hidden === true ? typeOf(value) : shown(value)}`);
}

/**
 * Looks at each option that is there; those of other names are nobody's affair.
 * @throws Error that names the first that is wrong
 */
export function mustHave<Options>(place: string, given: unknown, kinds: Kinds<Options>, refuse?: Refuse): void {
  mustBe(place, given, object, refuse);
  for (const [name, of] of Object.entries<Kind>(kinds)) {
    const value = (given as Record<string, unknown>)[name];
    if (value !== undefined) mustBe(`${place}.${name}`, value, of, refuse);
  }
}

export function kind(expected: string, fits: (value: unknown) => boolean): Kind {
  return { expected, fits };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function typeOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return 'such an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** A value in few words. A promise is said to be one: mostly an `await` is missing. */
function shown(value: unknown): string {
  if (value instanceof Promise) return 'a promise (await it)';
  if (typeof value === 'function') return 'a function';
  const whole = inspect(value, {
    depth: 0,
    breakLength: Number.POSITIVE_INFINITY,
    maxArrayLength: 3,
    maxStringLength: 80,
  });
  return whole.length > 120 ? `${whole.slice(0, 120)}...` : whole;
}
