import { StreamRedactor } from './StreamRedactor.ts';
import { mergeSpans, REDACTED, type Span } from './spans.ts';

/** Below this many characters a secret is so common in other text that hiding it makes a trace hard to read. */
const SHORT = 4;
/** Lines of a secret of several lines (a private key) are secrets of their own from this length on. */
const WORTHY_LINE = 8;

/**
 * Fields that hold words of the vocabulary, ids that we made, or the envelope. They are never touched: nobody's
 * secret can get into them, and a secret that happens to look like one of them must not break the trace.
 */
const UNTOUCHED: ReadonlySet<string> = new Set([
  ...['v', 'seq', 'at', 'run', 'testbed', 'from', 'type', 'd', 'm', 's'],
  ...['kind', 'class', 'phase', 'how', 'stage', 'role', 'server', 'direction', 'stream', 'method', 'tried', 'outcome'],
  ...['deadline', 'subject', 'machine', 'state', 'eventType', 'signal', 'capabilities', 'restrictions'],
  ...['connection', 'command', 'process', 'resource', 'leftovers', 'copy', 'forward'],
]);

/** Knows a run's secrets and takes them out of lines and streams. Costs nothing while there are none. */
export class Redactor {
  #texts: readonly string[] = [];
  #needles: readonly string[] = [];
  #bytes: readonly Buffer[] = [];

  /** Whether there is anything to hide. */
  get active(): boolean {
    return this.#texts.length > 0;
  }

  /** The secrets in all their forms, as bytes. */
  get forms(): readonly Buffer[] {
    return this.#bytes;
  }

  /**
   * Adds secrets. Empty ones are ignored; short ones are hidden too, at a cost that the returned warnings tell.
   * A warning never contains the secret.
   */
  add(secrets: readonly string[]): string[] {
    const warnings: string[] = [];
    const texts = new Set(this.#texts);
    for (const secret of secrets) {
      if (secret === '') continue;
      if (secret.length < SHORT) {
        warnings.push(
          `a secret of ${secret.length} character${secret.length === 1 ? '' : 's'} is hidden wherever its characters ` +
            `occur, which makes the trace hard to read; secrets should have at least ${SHORT}`,
        );
      }
      for (const form of formsOf(secret)) texts.add(form);
    }
    this.#texts = [...texts];
    this.#needles = [...new Set(this.#texts.map(escaped))];
    this.#bytes = this.#texts.map((text) => Buffer.from(text));
    return warnings;
  }

  /** The JSON text of an event or decision with the secrets taken out of its string values. */
  line(json: string): string {
    if (!this.#needles.some((needle) => json.includes(needle))) return json;
    return JSON.stringify(this.#value(JSON.parse(json)));
  }

  /** An event or decision with the secrets taken out of its strings; the same object where there are none in it. */
  event<T extends object>(event: T): T {
    if (!this.active) return event;
    const json = JSON.stringify(event);
    return this.#needles.some((needle) => json.includes(needle)) ? (this.#value(event) as T) : event;
  }

  /** A text with the secrets taken out; secrets that overlap become one mark. */
  text(text: string): string {
    const spans: Span[] = [];
    for (const secret of this.#texts) {
      for (let at = text.indexOf(secret); at !== -1; at = text.indexOf(secret, at + 1))
        spans.push([at, at + secret.length]);
    }
    let clean = '';
    let end = 0;
    for (const [from, to] of mergeSpans(spans)) {
      clean += text.slice(end, from) + REDACTED;
      end = to;
    }
    return clean + text.slice(end);
  }

  /** For one byte stream, whose secrets may lie across its chunks. */
  stream(): StreamRedactor {
    return new StreamRedactor(this);
  }

  #value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.#value(item));
    if (typeof value !== 'object' || value === null) return value;
    const isTestStart = 'type' in value && (value.type === 'test.started' || value.type === 'test.resumed');
    return Object.fromEntries(
      Object.entries(value).map(([key, field]) => {
        // Everywhere but here `command` is an id of ours.
        const free = !UNTOUCHED.has(key) || (key === 'command' && isTestStart);
        return [key, free ? this.#value(field) : field];
      }),
    );
  }
}

/** Takes these secrets out of what does not come from a run, and so is not done by it. */
export function hiding(secrets: readonly string[]): Pick<Redactor, 'event' | 'text'> {
  const redactor = new Redactor();
  redactor.add(secrets);
  return redactor;
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** How a secret may appear: as it is, in JSON, between a shell's single quotes, on a terminal, line by line. */
function formsOf(secret: string): Set<string> {
  const trimmed = secret.trim();
  const bare = trimmed.length >= SHORT ? [secret, trimmed] : [secret];
  const lines = secret.split(/\r?\n/).filter((line) => line.length >= WORTHY_LINE);
  const plain = [...bare, ...bare.map((text) => text.replaceAll(/\r?\n/g, '\r\n')), ...lines];
  // A script in which it is quoted may be a word that is quoted in its turn.
  return new Set(plain.flatMap((text) => [text, escaped(text), quoted(text), quoted(quoted(text))]));
}

/** As between a shell's single quotes. */
function quoted(text: string): string {
  return text.replaceAll("'", "'\\''");
}
