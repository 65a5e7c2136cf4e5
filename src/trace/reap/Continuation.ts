import { closeSync, constants, ftruncateSync, openSync } from 'node:fs';
import { EVENT_VERSION, type EventDraft, type TrundleEvent } from '../../events/index.ts';
import { writeAll } from '../files.ts';
import type { Trace, TraceEnd } from '../readTrace.ts';

/** Adds events to a trace whose writer is dead, with sequence numbers and times that go on from its last event. */
export class Continuation {
  readonly #trace: Trace;
  readonly #wallClock: () => number;
  readonly #fd: number;
  #seq: number;
  #at: number;

  /** @param end what a reading of the whole trace found; a line that was cut off is removed */
  constructor(trace: Trace, end: TraceEnd, lastAt: number, wallClock: () => number) {
    this.#trace = trace;
    this.#wallClock = wallClock;
    this.#seq = end.lastSeq;
    this.#at = lastAt;
    this.#fd = openSync(trace.file, constants.O_WRONLY | constants.O_APPEND);
    if (end.truncated) ftruncateSync(this.#fd, end.bytes);
  }

  append(draft: EventDraft): void {
    this.#seq += 1;
    this.#at = Math.max(this.#at, this.#wallClock() - Date.parse(this.#trace.header.started));
    const event = {
      v: EVENT_VERSION,
      seq: this.#seq,
      at: this.#at,
      run: this.#trace.header.run,
      ...draft,
    } as TrundleEvent;
    writeAll(this.#fd, Buffer.from(`${JSON.stringify(event)}\n`));
  }

  close(): void {
    closeSync(this.#fd);
  }
}
