import type { LogEntries, LogEntry } from './LogEntry.ts';
import { resultLine } from './RunLog.ts';

/** The part of a run's log that one of several packages has: lines of its summary get the package's name. */
export class PackagePart implements LogEntries {
  readonly #name: string;
  #to: LogEntries;

  constructor(name: string, whole: LogEntries) {
    this.#name = name;
    this.#to = whole;
  }

  /** What is said from now on goes here. */
  speakInto(entries: LogEntries): void {
    this.#to = entries;
  }

  put(entry: LogEntry): Promise<void> {
    return this.#to.put(
      entry.kind === 'result' || entry.kind === 'finding' || entry.kind === 'conclusion'
        ? { kind: entry.kind, bytes: Buffer.from(this.#named(entry)) }
        : entry,
    );
  }

  #named({ kind, bytes }: LogEntry): string {
    const line = Buffer.from(bytes).toString();
    const [, test = '', result = ''] = kind === 'result' ? (/^(\S+)\s+(.*\n)$/s.exec(line) ?? []) : [];
    return test === '' ? `${this.#name}: ${line}` : resultLine(`${this.#name}/${test}`, result);
  }
}
