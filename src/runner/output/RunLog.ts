import { ElapsedLines } from './ElapsedLines.ts';
import type { Sink } from './OutputDirectory.ts';
import { type Terminal, writeTo } from './terminal.ts';

/** What a run's log needs. */
export interface RunLogOptions {
  /** Word before the time stamp; `autopkgtest` by default, since that is what log readers look for. */
  readonly program: string;
  /** Wall-clock time. */
  readonly now: () => Date;
  readonly terminal: Terminal;
  /** Keeps the runner's own lines from the terminal (autopkgtest(1), --quiet). */
  readonly quiet: boolean;
  readonly log: Sink | null;
  readonly summary: Sink | null;
  /** Takes secrets out of the runner's own lines. */
  readonly hide: (text: string) => string;
}

/** Writes the log, the summary and what a person sees, in autopkgtest's form. */
export class RunLog {
  readonly #options: RunLogOptions;
  readonly #elapsed: ElapsedLines;
  readonly #summary: string[] = [];
  readonly #ignore = () => {};
  #failure: Error | null = null;

  constructor(options: RunLogOptions) {
    this.#options = options;
    const started = options.now().getTime();
    this.#elapsed = new ElapsedLines(() => Math.floor((options.now().getTime() - started) / 1000));
    // A reader who leaves (EPIPE) must not end the run.
    for (const stream of [options.terminal.stdout, options.terminal.stderr]) stream.on('error', this.#ignore);
  }

  /** What went wrong when the log or the summary was written, as on a full disk; from then on they are not. */
  get failure(): Error | null {
    return this.#failure;
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
    this.finding(`${test.padEnd(20)} ${result}`);
  }

  /** A line of the summary that everybody sees. */
  finding(text: string): void {
    const line = this.#options.hide(text);
    this.conclusion(line);
    this.#toLog(`${line}\n`);
    void writeTo(this.#options.terminal.stdout, `${line}\n`);
  }

  /** A line of the summary that the log has in another form. */
  conclusion(text: string): void {
    const line = this.#options.hide(text);
    this.#summary.push(line);
    this.#keep(this.#options.summary, `${line}\n`);
  }

  /** What a test printed. Resolves when there is room for more; rejects where the log cannot be written. */
  async output(stream: 'stdout' | 'stderr', chunk: Uint8Array): Promise<void> {
    if (this.#options.log) this.#keep(this.#options.log, this.#elapsed.add(chunk));
    if (this.#failure) throw this.#failure;
    await writeTo(this.#options.terminal[stream], chunk);
  }

  /** The whole summary once more, under its heading. */
  summarize(): void {
    this.info(`${HEADING} summary`);
    this.#own(this.#summary.map((line) => `${line}\n`).join(''));
  }

  close(): void {
    this.#options.log?.close();
    this.#options.summary?.close();
    for (const stream of [this.#options.terminal.stdout, this.#options.terminal.stderr])
      stream.off('error', this.#ignore);
  }

  #own(line: string): void {
    const text = this.#options.hide(line);
    this.#toLog(text);
    if (!this.#options.quiet) void writeTo(this.#options.terminal.stderr, text);
  }

  /** Our own lines start on a line of their own, whatever a test left behind. */
  #toLog(text: string): void {
    this.#keep(this.#options.log, this.#elapsed.add(Buffer.from(this.#elapsed.lineOpen ? `\n${text}` : text)));
  }

  /** A file that fails must not keep the run from its end: the failure waits for whoever can act on it. */
  #keep(sink: Sink | null, chunk: Uint8Array | string): void {
    if (this.#failure) return;
    try {
      sink?.write(chunk);
    } catch (error) {
      this.#failure = error as Error;
    }
  }
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
