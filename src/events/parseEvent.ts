import * as z from 'zod';
import { EVENT_VERSION, type EventType, type TrundleEvent } from './event.ts';
import { originSchema } from './schemas/common.ts';
import { eventSchemas } from './schemas/index.ts';

const envelopeSchema = z.object({
  v: z.literal(EVENT_VERSION),
  seq: z.number().int().positive(),
  at: z.number().nonnegative(),
  run: z.string(),
  testbed: z.string().nullable(),
  from: originSchema,
  type: z.string(),
});

/** An event that is not one; `issues` names each place that is wrong. */
export class BadEventError extends Error {
  override readonly name = 'BadEventError';
  readonly issues: readonly string[];
  constructor(issues: readonly string[]) {
    super(issues.join('; '));
    this.issues = issues;
  }
}

/** Whether a name is an event type of this version. */
export function isEventType(name: string): name is EventType {
  return Object.hasOwn(eventSchemas, name);
}

/**
 * Checks that a value read from outside is an event of this version.
 * @throws BadEventError naming every field that is wrong
 */
export function parseEvent(value: unknown): TrundleEvent {
  const envelope = envelopeSchema.safeParse(value);
  if (!envelope.success) throw new BadEventError(envelope.error.issues.map(describe));
  const { type } = envelope.data;
  if (!isEventType(type)) throw new BadEventError([`type: no event type is called ${JSON.stringify(type)}`]);
  const data = eventSchemas[type].safeParse(value);
  if (!data.success) throw new BadEventError(data.error.issues.map(describe));
  return { ...envelope.data, ...data.data } as unknown as TrundleEvent;
}

function describe(issue: z.core.$ZodIssue): string {
  return `${issue.path.join('.') || 'event'}: ${issue.message}`;
}
