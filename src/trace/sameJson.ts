import type { EventDraft, TrundleEvent } from '../events/index.ts';

/** Whether two values are the same in JSON: the order of keys and keys that are undefined do not count. Pure. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => sameJson(item, b[index]));
  }
  return sameFields(a as Fields, b as Fields);
}

type Fields = Record<string, unknown>;

function sameFields(a: Fields, b: Fields): boolean {
  for (const key in a) if (!sameJson(a[key], b[key])) return false;
  for (const key in b) if (b[key] !== undefined && a[key] === undefined) return false;
  return true;
}

/** Whether a recorded event is this fact; its place in the trace is not part of the fact. Pure. */
export function sameFact(event: TrundleEvent, fact: EventDraft): boolean {
  const { v: _v, seq: _seq, at: _at, run: _run, ...recorded } = event;
  return sameFields(recorded, fact as unknown as Fields);
}
