import type { TrundleEvent } from '../../events/index.ts';
import type { RunModel } from './RunModel.ts';

/** One word of a filter. */
type Term = { readonly not: boolean } & (
  | { readonly field: 'text'; readonly text: string }
  | { readonly field: 'type' | 'from' | 'testbed'; readonly text: string }
  | { readonly field: 'machine'; readonly text: string }
  | { readonly field: 'failure' }
);

const FIELDS = ['type', 'from', 'testbed', 'machine'] as const;

/**
 * Reads a filter: words that all have to stand in an event's sentence or payload; `type:`, `from:`, `testbed:` and
 * `machine:` look at that only, `is:failure` at what went wrong; `-` before a word turns it round, and quotation marks
 * keep words together. Pure.
 */
export function parseFilter(text: string): readonly Term[] {
  const words = text.toLowerCase().match(/-?(?:[a-z]+:)?"[^"]*"?|\S+/g) ?? [];
  return words.flatMap((word): Term[] => {
    const not = word.startsWith('-') && word.length > 1;
    const rest = not ? word.slice(1) : word;
    if (rest === 'is:failure') return [{ not, field: 'failure' }];
    const field = FIELDS.find((name) => rest.startsWith(`${name}:`));
    const value = (field === undefined ? rest : rest.slice(field.length + 1)).replaceAll('"', '');
    return value === '' ? [] : [{ not, field: field ?? 'text', text: value }];
  });
}

/** Finds events of a run. What it looks through is made once per event, so that asking again is quick. */
export class Finder {
  readonly #model: RunModel;
  readonly #describe: (event: TrundleEvent) => string;
  /** Sentence and payload of each event, in small letters. */
  readonly #texts: string[] = [];

  constructor(model: RunModel, describe: (event: TrundleEvent) => string) {
    this.#model = model;
    this.#describe = describe;
  }

  /** Makes what it looks through for at most so many more events. @returns whether that was all */
  prepare(most: number): boolean {
    const { events, raws } = this.#model;
    const end = Math.min(events.length, this.#texts.length + most);
    for (let index = this.#texts.length; index < end; index++) {
      const event = events[index] as TrundleEvent;
      this.#texts.push(`${this.#describe(event)} ${raws[index]}`.toLowerCase());
    }
    return end === events.length;
  }

  /** Seqs of the events that a filter lets through, in order; null where it lets all through. */
  find(text: string): Uint32Array | null {
    const terms = parseFilter(text);
    if (terms.length === 0) return null;
    this.prepare(Number.POSITIVE_INFINITY);
    const { events } = this.#model;
    const found = new Uint32Array(events.length);
    const failures = new Set(this.#model.failures);
    let count = 0;
    for (let index = 0; index < events.length; index++) {
      const event = events[index] as TrundleEvent;
      if (terms.every((term) => this.#meets(term, event, index, failures) !== term.not)) found[count++] = index + 1;
    }
    return found.subarray(0, count);
  }

  #meets(term: Term, event: TrundleEvent, index: number, failures: ReadonlySet<number>): boolean {
    switch (term.field) {
      case 'text':
        return this.#texts[index]?.includes(term.text) ?? false;
      case 'failure':
        return failures.has(event.seq);
      case 'machine':
        return (
          this.#model.movers.get(event.seq)?.some((machine) => machine.toLowerCase().startsWith(term.text)) ?? false
        );
      default:
        return like(String(event[term.field] ?? ''), term.text);
    }
  }
}

/** `*` stands for anything; without one the beginning is enough. */
function like(value: string, pattern: string): boolean {
  const small = value.toLowerCase();
  if (!pattern.includes('*')) return small.startsWith(pattern);
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(small);
}
