import { ElapsedLines } from './ElapsedLines.ts';
import type { LogEntries, LogEntry } from './LogEntry.ts';
import type { Sink } from './OutputDirectory.ts';
import { type Terminal, writeTo } from './terminal.ts';

/** Where what is said in a run goes. */
export interface LogWriterOptions {
  /** Wall-clock time. */
  readonly now: () => Date;
  /** A person's terminal; or the log of a run of which this one tells a part. */
  readonly terminal: Terminal | LogEntries;
  /** Keeps the runner's own lines from the terminal (autopkgtest(1), --quiet). */
  readonly quiet: boolean;
  readonly log: Sink | null;
  readonly summary: Sink | null;
}

/** Puts entries where they belong: the log, the summary, the terminal. */
export class LogWriter implements LogEntries {
  readonly summary: string[] = [];
  readonly #options: LogWriterOptions;
  readonly #elapsed: ElapsedLines;
  readonly #ignore = () => {};
  #failure: Error | null = null;

  constructor(options: LogWriterOptions) {
    this.#options = options;
    // From what is said first.
    let started: number | null = null;
    this.#elapsed = new ElapsedLines(() => {
      const now = options.now().getTime();
      started ??= now;
      return Math.floor((now - started) / 1000);
    });
    // A reader who leaves (EPIPE) must not end the run.
    for (const stream of this.#streams) stream.on('error', this.#ignore);
  }

  get #streams(): Terminal['stdout'][] {
    const { terminal } = this.#options;
    return 'put' in terminal ? [] : [terminal.stdout, terminal.stderr];
  }

  /** What went wrong when the log or the summary was written, as on a full disk; from then on they are not. */
  get failure(): Error | null {
    return this.#failure;
  }

  async put(entry: LogEntry): Promise<void> {
    const { kind, bytes } = entry;
    const { log, summary } = this.#options;
    switch (kind) {
      case 'own':
        this.#toLog(bytes);
        break;
      case 'result':
      case 'finding':
        this.#conclude(bytes, summary);
        this.#toLog(bytes);
        break;
      case 'conclusion':
        this.#conclude(bytes, summary);
        break;
      default:
        if (log) this.#keep(log, this.#elapsed.add(bytes));
        if (this.#failure) throw this.#failure;
    }
    await this.#show(entry);
  }

  /** Only what a test prints has to wait for its reader. */
  async #show(entry: LogEntry): Promise<void> {
    const { terminal, quiet } = this.#options;
    const { kind, bytes } = entry;
    if ('put' in terminal) return await terminal.put(entry);
    if (kind === 'stdout' || kind === 'stderr') return await writeTo(terminal[kind], bytes);
    if (kind === 'own' && !quiet) void writeTo(terminal.stderr, bytes);
    if (kind === 'result' || kind === 'finding') void writeTo(terminal.stdout, bytes);
  }

  close(): void {
    this.#options.log?.close();
    this.#options.summary?.close();
    for (const stream of this.#streams) stream.off('error', this.#ignore);
  }

  #conclude(bytes: Uint8Array, summary: Sink | null): void {
    this.summary.push(Buffer.from(bytes).toString());
    this.#keep(summary, bytes);
  }

  /** Our own lines start on a line of their own, whatever a test left behind. */
  #toLog(bytes: Uint8Array): void {
    const whole = this.#elapsed.lineOpen ? Buffer.concat([Buffer.from('\n'), bytes]) : bytes;
    this.#keep(this.#options.log, this.#elapsed.add(whole));
  }

  /** A file that fails must not keep the run from its end: the failure waits for whoever can act on it. */
  #keep(sink: Sink | null, chunk: Uint8Array): void {
    if (this.#failure) return;
    try {
      sink?.write(chunk);
    } catch (error) {
      this.#failure = error as Error;
    }
  }
}
