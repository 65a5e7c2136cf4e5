import { closeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Decision, EventType, TrundleEvent } from '../events/index.ts';
import type { DecisionLine, Recorder, TraceHeader } from './contract.ts';
import { EVENTS_FILE, errnoOf, makeTraceFiles, messageOf, writeAll } from './files.ts';
import { Redactor } from './redactor.ts';
import { Streams } from './streams.ts';
import { TraceError } from './TraceError.ts';

/** Characters or bytes that are written at once. */
const BATCH = 64 * 1024;
/** Milliseconds after which a batch is written, full or not: what a kill -9 may lose. */
const DELAY = 5;
/** Bytes kept of one stream where nothing else is said. */
const STREAM_LIMIT = 64 * 1024 * 1024;

/** Facts that must be on disk before anything else happens. */
const URGENT: ReadonlySet<EventType> = new Set<EventType>(['resource.acquired', 'resource.released', 'run.concluded']);

/** The trace can no longer be written. `code` is the errno name (`ENOSPC`, `EIO`), where the system gave one. */
export class RecorderError extends Error {
  override readonly name = 'RecorderError';
  readonly code: string | null;
  readonly file: string;
  constructor(file: string, cause: unknown) {
    super(`${file}: the trace ends here, it cannot be written: ${messageOf(cause)}`, { cause });
    this.code = errnoOf(cause);
    this.file = file;
  }
}

/** What went into a trace, and what no longer could. */
export interface RecorderCounts {
  events: number;
  decisions: number;
  /** Bytes of streams that were offered. */
  bytes: number;
  /** Events and decisions that came after writing had failed. */
  lost: number;
}

/** What a recorder needs. */
export interface RecorderOptions {
  /** Made if absent, with mode 0700; must not hold a trace yet. */
  directory: string;
  header: TraceHeader;
  clock: Clock;
  /** Bytes kept of each stream (default 64 MiB). */
  streamLimit?: number;
  /** Called once, when writing fails for the first time; from then on the recorder only counts. */
  onError: (error: RecorderError) => void;
}

/** A recorder that writes to files. */
export interface FileRecorder extends Recorder {
  readonly counts: Readonly<RecorderCounts>;
  /** Null while all is well. */
  readonly error: RecorderError | null;
  /** Returns a warning for each secret that is too short to be hidden without harm; they are hidden all the same. */
  redact(secrets: readonly string[]): readonly string[];
}

/**
 * Begins a trace: makes its directory and writes the header.
 * @throws TraceError `exists` where the directory holds a trace, `inaccessible` where it cannot be written
 */
export function createRecorder(options: RecorderOptions): FileRecorder {
  return new TraceRecorder(options);
}

class TraceRecorder implements FileRecorder {
  readonly directory: string;
  readonly counts: RecorderCounts = { events: 0, decisions: 0, bytes: 0, lost: 0 };
  error: RecorderError | null = null;
  readonly #file: string;
  readonly #clock: Clock;
  readonly #onError: (error: RecorderError) => void;
  readonly #redactor = new Redactor();
  readonly #streams: Streams;
  #fd: number | null;
  #lines = '';
  #timer: unknown = null;
  /** `at` of the oldest event in the batch. */
  #since = -1;

  constructor(options: RecorderOptions) {
    this.directory = options.directory;
    this.#file = join(options.directory, EVENTS_FILE);
    this.#clock = options.clock;
    this.#onError = options.onError;
    this.#fd = makeTraceFiles(options.directory).events;
    try {
      writeAll(this.#fd, Buffer.from(`${JSON.stringify(options.header)}\n`));
    } catch (error) {
      throw new TraceError('inaccessible', this.#file, `the trace cannot be written: ${messageOf(error)}`, {
        cause: error,
      });
    }
    this.#streams = new Streams(options.directory, options.streamLimit ?? STREAM_LIMIT, this.#redactor, this.#fail);
  }

  event(event: TrundleEvent): void {
    this.counts.events++;
    this.#line(event);
    if (this.#since < 0) this.#since = event.at;
    // The timer cannot fire while the event loop is busy; the events themselves tell how late it is.
    if (URGENT.has(event.type) || event.at - this.#since >= DELAY) this.flush();
  }

  decision(decision: Decision): void {
    this.counts.decisions++;
    const line: DecisionLine = { d: decision.seq, m: decision.machine, s: decision.state };
    if (decision.commands.length > 0) line.c = decision.commands;
    this.#line(line);
  }

  bytes(stream: string, chunk: Uint8Array): boolean {
    this.counts.bytes += chunk.length;
    if (this.#fd === null) return true;
    const kept = this.#streams.append(stream, chunk);
    this.#written();
    return kept;
  }

  redact(secrets: readonly string[]): readonly string[] {
    return this.#redactor.add(secrets);
  }

  flush(): void {
    if (this.#timer !== null) this.#clock.clear(this.#timer);
    this.#timer = null;
    this.#since = -1;
    if (this.#fd === null) return;
    // Streams first: an event that speaks of bytes must not be on disk before them.
    if (this.#streams.pending > 0) this.#streams.flush();
    if (this.#lines === '' || this.#fd === null) return;
    const batch = Buffer.from(this.#lines);
    this.#lines = '';
    try {
      writeAll(this.#fd, batch);
    } catch (error) {
      this.#fail(this.#file, error);
    }
  }

  close(): void {
    if (this.#fd !== null) this.#streams.end();
    this.flush();
    this.#release();
  }

  #release(): void {
    const fd = this.#fd;
    if (fd === null) return;
    this.#fd = null;
    this.#streams.release();
    try {
      closeSync(fd);
    } catch (error) {
      // Some file systems (NFS, FUSE) tell only here that bytes did not arrive.
      this.#fail(this.#file, error);
    }
  }

  #line(value: TrundleEvent | DecisionLine): void {
    if (this.#fd === null) {
      this.counts.lost++;
      return;
    }
    const json = JSON.stringify(value);
    this.#lines += this.#redactor.active ? `${this.#redactor.line(json)}\n` : `${json}\n`;
    this.#written();
  }

  #written(): void {
    if (this.#lines.length >= BATCH || this.#streams.pending >= BATCH) this.flush();
    else if (this.#timer === null) this.#timer = this.#delay();
  }

  #delay(): unknown {
    const timer = this.#clock.after(DELAY, () => this.flush());
    // A process that has nothing else to do must not wait for this.
    if (timer instanceof Object && 'unref' in timer && timer.unref instanceof Function) timer.unref();
    return timer;
  }

  #fail = (file: string, cause: unknown): void => {
    if (this.error !== null) return;
    const error = new RecorderError(file, cause);
    this.error = error;
    this.#lines = '';
    this.#release();
    this.#onError(error);
  };
}
