import type * as z from 'zod';
import type { originSchema } from './schemas/common.ts';
import type { eventSchemas } from './schemas/index.ts';

/** The version of the event shape that this code writes. */
export const EVENT_VERSION = 1;

/** The name of a fact: `noun.past-participle`. */
export type EventType = keyof typeof eventSchemas;

/** Who saw the fact. */
export type Origin = z.infer<typeof originSchema>;

/** The data of an event type, without the envelope. */
export type EventData<T extends EventType> =
  z.infer<(typeof eventSchemas)[T]> extends Record<string, never> ? unknown : z.infer<(typeof eventSchemas)[T]>;

/** What every event carries besides its data. */
export interface Envelope {
  v: typeof EVENT_VERSION;
  /** Position in the run's trace, from 1, without gaps. */
  seq: number;
  /** Milliseconds since the run's trace was opened, on a clock that never jumps. */
  at: number;
  run: string;
  /** Null for facts about the run as a whole. */
  testbed: string | null;
  from: Origin;
}

/** An event of type T, or any event. Discriminated by `type`. */
export type TrundleEvent<T extends EventType = EventType> = {
  [K in T]: Envelope & { type: K } & EventData<K>;
}[T];

/** An event before it has its place in a trace: whoever saw it writes this, the journal adds the rest. */
export type EventDraft<T extends EventType = EventType> = {
  [K in T]: { testbed: string | null; from: Origin; type: K } & EventData<K>;
}[T];

/** Takes an event draft into the run's trace. Never throws and never waits. */
export type Emit = (draft: EventDraft) => void;
