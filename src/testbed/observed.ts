import type { Location, Observation, ObservationType } from '../backends/index.ts';
import { type EventData, RESOURCE_KINDS } from '../events/index.ts';
import { callback, type Kind, type Kinds, kind, mustBe, object, oneOf, orNull, text, texts } from './given.ts';

const integer = kind('a whole number', Number.isSafeInteger);
const number = kind('a number', Number.isFinite);
const role = oneOf('main', 'helper');
const resourceKind = oneOf(...RESOURCE_KINDS);

/** What a backend may tell; the same as the schemas of these events, which take long to load. A test compares them. */
export const OBSERVATIONS: { readonly [T in ObservationType]: Kinds<EventData<T>> } = {
  'console.printed': { line: text },
  'process.spawned': { process: text, role, pid: integer, argv: texts },
  'process.exited': { process: text, role, status: orNull(integer), signal: orNull(text) },
  'guest.panicked': { message: text },
  'guest.stopped': { reason: text },
  'recording.left': { asked: text, recorded: orNull(text), event: orNull(integer) },
  'progress.reported': { task: text, done: number, total: orNull(number), unit: text },
  'endpoint.withdrawn': { reason: text },
  'resource.acquired': {
    resource: text,
    kind: resourceKind,
    name: text,
    startTime: optional(number),
    release: optional(texts),
    check: optional(texts),
  },
  'resource.released': { resource: text },
};

/**
 * What a backend told, with nothing in it that has no place there: else it would be in the trace, which nobody could read then.
 * @throws TypeError that names what is wrong
 */
export function observationOf(told: unknown): Observation {
  const place = 'an observation';
  mustBe(place, told, object);
  const { type } = told as Observation;
  if (!Object.hasOwn(OBSERVATIONS, type))
    throw new TypeError(
      `there is no observation ${JSON.stringify(type)}; there are ${Object.keys(OBSERVATIONS).join(', ')}`,
    );
  const data = Object.entries<Kind>(OBSERVATIONS[type]).map(([name, of]) => {
    const value = (told as unknown as Record<string, unknown>)[name];
    mustBe(`${name} of ${type}`, value, of);
    return [name, value];
  });
  return { type, ...Object.fromEntries(data.filter(([, value]) => value !== undefined)) } as Observation;
}

/**
 * Where the SSH server is, as endpoint() gave it.
 * @throws TypeError that names what is wrong
 */
export function locationOf(given: unknown): Location {
  const place = 'what endpoint() gives';
  mustBe(place, given, object);
  const { endpoint, capabilities } = given as Location;
  mustBe(`${place}: capabilities`, capabilities, texts);
  mustBe(`${place}: endpoint`, endpoint, object);
  const { via, server, login, hostKeys, credentials, connect } = endpoint;
  mustBe(`${place}: endpoint.via`, via, object);
  mustBe(`${place}: endpoint.via.kind`, via.kind, oneOf('tcp', 'unix', 'process', 'memory'));
  const at = `${place}: endpoint.via`;
  if (via.kind === 'tcp') {
    mustBe(`${at}.host`, via.host, text);
    mustBe(`${at}.port`, via.port, kind('a whole number from 1 to 65535', isPort));
  } else if (via.kind === 'unix') mustBe(`${at}.path`, via.path, text);
  else if (via.kind === 'process') mustBe(`${at}.argv`, via.argv, kind('a program and its arguments', isProgram));
  else mustBe(`${place}: endpoint.connect`, connect, callback);
  mustBe(`${place}: endpoint.server`, server, oneOf('sshd', 'stand-in'));
  mustBe(
    `${place}: endpoint.login`,
    login,
    kind('a login name', (value) => text.fits(value) && value !== ''),
  );
  mustBe(`${place}: endpoint.hostKeys`, hostKeys, texts);
  mustBe(`${place}: endpoint.credentials`, credentials, { ...object, hidden: true });
  return given as Location;
}

function optional(of: Kind): Kind {
  return { ...of, fits: (value) => value === undefined || of.fits(value) };
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) < 65_536;
}

function isProgram(value: unknown): boolean {
  return texts.fits(value) && (value as string[]).length > 0;
}
