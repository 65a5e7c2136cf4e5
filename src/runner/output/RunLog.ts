import type { LogEntries, LogEntry } from './LogEntry.ts';
import { LogWriter, type LogWriterOptions } from './LogWriter.ts';

/** What a run's log needs. */
export interface RunLogOptions extends LogWriterOptions {
  /** Word before the time stamp; `autopkgtest` by default, since that is what log readers look for. */
  readonly program: string;
  /** Takes secrets out of the runner's own lines. */
  readonly hide: (text: string) => string;
}

/** Writes the log, the summary and what a person sees, in autopkgtest's form. */
export class RunLog {
  readonly #options: RunLogOptions;
  readonly #writer: LogWriter;
  /** Where entries go: to the writer, or to a place where they wait for their turn. */
  #to: LogEntries;

  constructor(options: RunLogOptions, writer: LogWriter = new LogWriter(options)) {
    this.#options = options;
    this.#writer = writer;
    this.#to = writer;
  }

  /** Another voice in the same log. */
  voice(): RunLog {
    return new RunLog(this.#options, this.#writer);
  }

  /** What is said from now on goes here instead; null for straight into the log. */
  speakInto(entries: LogEntries | null): void {
    this.#to = entries ?? this.#writer;
  }

  /** Straight into the log. */
  get entries(): LogEntries {
    return this.#writer;
  }

  /** What went wrong when the log or the summary was written, as on a full disk; from then on they are not. */
  get failure(): Error | null {
    return this.#writer.failure;
  }

  /** `autopkgtest [HH:MM:SS]: message` */
  info(message: string): void {
    this.#own(`${this.#options.program} [${time(this.#options.now())}]: ${message}\n`);
  }

  warning(message: string): void {
    this.#own(`${this.#options.program}: WARNING: ${message}\n`);
  }

  error(message: string): void {
    this.info(`ERROR: ${message}`);
  }

  /** A test's result: `NAME                 PASS`. Goes into the summary as well. */
  report(test: string, result: string): void {
    this.#say('result', this.#options.hide(resultLine(test, result)));
  }

  /** A line of the summary that everybody sees. */
  finding(text: string): void {
    this.#say('finding', this.#options.hide(text));
  }

  /** A line of the summary that the log has in another form. */
  conclusion(text: string): void {
    this.#say('conclusion', this.#options.hide(text));
  }

  /** What a test printed. Resolves when there is room for more; rejects where the log cannot be written. */
  async output(stream: 'stdout' | 'stderr', chunk: Uint8Array): Promise<void> {
    await this.#to.put({ kind: stream, bytes: chunk });
  }

  /** The whole summary once more, under its heading. */
  summarize(): void {
    this.info(`${HEADING} summary`);
    this.#own(this.#writer.summary.join(''));
  }

  close(): void {
    this.#writer.close();
  }

  #own(line: string): void {
    void this.#to.put({ kind: 'own', bytes: Buffer.from(this.#options.hide(line)) });
  }

  #say(kind: LogEntry['kind'], line: string): void {
    void this.#to.put({ kind, bytes: Buffer.from(`${line}\n`) });
  }
}

/** A test's line of the summary. Pure. */
export function resultLine(test: string, result: string): string {
  return `${test.padEnd(20)} ${result}`;
}

/** Before the name of a part of the run. */
export const HEADING = '@'.repeat(20);

/** A heading inside a test's part of the log. */
export function divider(title: string): string {
  const dashes = ' - - - - - - - - - -';
  return `${dashes} ${title}${dashes}`;
}

function time(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** `2026-11-24 15:59:32+0000`, local time. */
export function dateAndTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time(date)}${zone}`;
}
