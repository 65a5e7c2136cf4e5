import type { EventDraft, TrundleEvent } from '../events/index.ts';
import { EditError } from './whatIf.ts';

/** Who sees an event of a type, where nobody says. */
const ORIGINS: readonly (readonly [RegExp, EventDraft['from']])[] = [
  [
    /^(?:provision|boot\.(?:completed|failed)|endpoint|restart|reset|shutdown|destruction|console|process|guest|progress|resource)/,
    'backend',
  ],
  [/^operator/, 'operator'],
  [/^(?:dial|socket|banner|hostkey|handshake|auth|keepalive|connection|channel|boot|forward|signal)/, 'driver'],
  [/^command\.(?:started|output|exited|signalled|lost|closed)|^reboot\.asked/, 'driver'],
];

/**
 * Reads an event that is to be inserted: JSON of its type and data. What is not said of its testbed is taken from the
 * history, and who saw it from its type.
 * @throws EditError naming what is wrong
 */
export async function parseInsertion(
  text: string,
  events: readonly TrundleEvent[],
  after: number,
): Promise<EventDraft> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new EditError(`the event is no JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string')
    throw new EditError(
      'an event is a JSON object with a type, as in {"type":"command.exited","command":"tb1.x5","status":0}',
    );
  const { type } = value;
  const alike = events.find((event) => event.type === type);
  const ids = Object.values(value).find((each) => typeof each === 'string' && /^tb\d+\./.test(each)) as
    | string
    | undefined;
  const testbed =
    ids?.split('.')[0] ?? alike?.testbed ?? (/^(?:run|test|operator|package|step)\./.test(type) ? null : 'tb1');
  const from = alike?.from ?? ORIGINS.find(([pattern]) => pattern.test(type))?.[1] ?? 'runner';
  const { BadEventError, parseEvent } = await import('../events/parseEvent.ts');
  try {
    const envelope = { v: 1, seq: after + 1, at: 0, run: events[0]?.run ?? '' };
    const { v: _v, seq: _seq, at: _at, run: _run, ...draft } = parseEvent({ ...envelope, testbed, from, ...value });
    return draft as EventDraft;
  } catch (error) {
    if (error instanceof BadEventError) throw new EditError(`the event ${type} cannot be inserted: ${error.message}`);
    throw error;
  }
}
