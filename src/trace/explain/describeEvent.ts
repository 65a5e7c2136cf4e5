import type { EventType, TrundleEvent } from '../../events/index.ts';
import { backendSentences } from './backendSentences.ts';
import { commandSentences } from './commandSentences.ts';
import { connectionSentences } from './connectionSentences.ts';
import { runSentences } from './runSentences.ts';
import { printable } from './words.ts';

/** A sentence for each event type. */
export type Sentences<T extends EventType> = { [K in T]: (event: TrundleEvent<K>) => string };

/** Every event type has one: leaving one out does not compile. */
const SENTENCES: Sentences<EventType> = {
  ...backendSentences,
  ...connectionSentences,
  ...commandSentences,
  ...runSentences,
};

/**
 * An event in plain words: one line, without its time and testbed, safe to print on a terminal. Pure.
 * A type that this version does not know is named as it is.
 */
export function describeEvent(event: TrundleEvent): string {
  const sentence = SENTENCES[event.type] as ((event: TrundleEvent) => string) | undefined;
  return printable(sentence === undefined ? `${String((event as { type: unknown }).type)} happened` : sentence(event));
}
