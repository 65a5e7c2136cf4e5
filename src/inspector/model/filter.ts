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

/** Events whose texts are looked through as one: searching one long text is far quicker than many short ones. */
const BLOCK = 1024;

/** Sentences and payloads of some events, one after the other in small letters, and where each begins. */
interface Block {
  readonly text: string;
  readonly starts: Uint32Array;
}

/** Finds events of a run. What it looks through is made once per event, so that asking again is quick. */
export class Finder {
  readonly #model: RunModel;
  readonly #describe: (event: TrundleEvent) => string;
  readonly #blocks: Block[] = [];

  constructor(model: RunModel, describe: (event: TrundleEvent) => string) {
    this.#model = model;
    this.#describe = describe;
  }

  /** Makes what it looks through for at most so many more events. @returns whether that was all */
  prepare(most: number): boolean {
    const { length } = this.#model.events;
    // The last block may have been made before it was full.
    if ((this.#blocks.at(-1)?.starts.length ?? BLOCK) < BLOCK) this.#blocks.pop();
    const end = Math.min(length, this.#blocks.length * BLOCK + Math.max(BLOCK, most));
    while (this.#blocks.length * BLOCK < end) this.#blocks.push(this.#block(this.#blocks.length * BLOCK));
    return this.#blocks.length * BLOCK >= length;
  }

  /** Seqs of the events that a filter lets through, in order; null where it lets all through. */
  find(text: string): Uint32Array | null {
    const terms = parseFilter(text);
    if (terms.length === 0) return null;
    const { length } = this.#model.events;
    const out = new Uint8Array(length);
    for (const term of terms) {
      const marks = this.#marks(term);
      for (let index = 0; index < length; index++) if ((marks[index] === 1) === term.not) out[index] = 1;
    }
    const found = new Uint32Array(length);
    let count = 0;
    for (let index = 0; index < length; index++) if (out[index] === 0) found[count++] = index + 1;
    return found.subarray(0, count);
  }

  /** 1 for each event that a term speaks of. */
  #marks(term: Term): Uint8Array {
    const { events, failures, movers } = this.#model;
    const marks = new Uint8Array(events.length);
    if (term.field === 'text') this.#search(term.text, marks);
    else if (term.field === 'failure') for (const seq of failures) marks[seq - 1] = 1;
    else if (term.field === 'machine') {
      for (const [seq, machines] of movers)
        if (machines.some((machine) => machine.toLowerCase().startsWith(term.text))) marks[seq - 1] = 1;
    } else {
      const { field, text } = term;
      const known = new Map<string, boolean>();
      events.forEach((event, index) => {
        const value = String(event[field] ?? '');
        let fits = known.get(value);
        if (fits === undefined) {
          fits = like(value, text);
          known.set(value, fits);
        }
        if (fits) marks[index] = 1;
      });
    }
    return marks;
  }

  #search(wanted: string, marks: Uint8Array): void {
    while (!this.prepare(Number.POSITIVE_INFINITY));
    this.#blocks.forEach(({ text, starts }, block) => {
      let event = 0;
      for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, starts[event] ?? text.length)) {
        while (event < starts.length && (starts[event] ?? 0) <= at) event++;
        marks[block * BLOCK + event - 1] = 1;
        if (event === starts.length) break;
      }
    });
  }

  #block(from: number): Block {
    const { events, raws } = this.#model;
    const to = Math.min(events.length, from + BLOCK);
    const starts = new Uint32Array(to - from);
    const texts: string[] = [];
    let length = 0;
    for (let index = from; index < to; index++) {
      const event = events[index] as TrundleEvent;
      const raw = raws[index] ?? '';
      // What every event has is left out, up to the id of the run, which would be found in each.
      const payload = raw.slice(Math.max(0, raw.indexOf(',', raw.indexOf('"run":'))));
      const text = `${this.#describe(event)} ${payload}\n`.toLowerCase();
      starts[index - from] = length;
      length += text.length;
      texts.push(text);
    }
    return { text: texts.join(''), starts };
  }
}

/** `*` stands for anything; without one the beginning is enough. */
function like(value: string, pattern: string): boolean {
  const small = value.toLowerCase();
  if (!pattern.includes('*')) return small.startsWith(pattern);
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(small);
}
