import type { TraceHeader } from './contract.ts';
import type { JsonObject } from './versions/contract.ts';

/** What is wrong with the first line of a trace of this version, or null. Pure. */
export function headerProblem(value: JsonObject): string | null {
  const header = value as Partial<TraceHeader>;
  if (typeof header.run !== 'string') return 'the header names no run';
  if (typeof header.trundle !== 'string') return 'the header names no version of Trundle';
  if (typeof header.started !== 'string' || Number.isNaN(Date.parse(header.started)))
    return 'the header has no time of start';
  const { owner } = header;
  const owned =
    isObject(owner) &&
    Number.isInteger(owner.pid) &&
    Number.isInteger(owner.startTime) &&
    typeof owner.host === 'string';
  if (!owned) return 'the header names no owner';
  const { system } = header;
  const known =
    system === null || (isObject(system) && Object.values(system).every((each) => typeof each === 'string'));
  return known ? null : 'the header does not say what system it was';
}

/** What is wrong with the shape of a line that has no `d`, or null; its data is not looked at. Pure. */
export function eventProblem(value: JsonObject): string | null {
  if (!Number.isSafeInteger(value.seq)) return 'neither an event nor a decision: it has no sequence number';
  if (typeof value.type !== 'string') return 'an event without a type';
  if (typeof value.at !== 'number') return 'an event without a time';
  if (typeof value.from !== 'string') return 'an event without an origin';
  return null;
}

/** What is wrong with a line that has a `d`, or null. Pure. */
export function decisionProblem(value: JsonObject, lastSeq: number): string | null {
  if (!Number.isSafeInteger(value.d)) return 'a decision whose sequence number is no whole number';
  const seq = value.d as number;
  if (seq < 1 || seq > lastSeq) return `a decision on event ${seq}, which did not come before it`;
  if (typeof value.m !== 'string') return 'a decision without a machine';
  if (typeof value.s !== 'string') return 'a decision without a state';
  if (
    'c' in value &&
    !(Array.isArray(value.c) && value.c.every((command) => isObject(command) && typeof command.type === 'string'))
  ) {
    return 'a decision whose commands are no list of commands';
  }
  return null;
}

/** Whether JSON calls it an object. Pure. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
