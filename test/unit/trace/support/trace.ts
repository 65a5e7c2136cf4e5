import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock, EventDraft, TrundleEvent } from '../../../../src/events/index.ts';
import type { TraceHeader } from '../../../../src/trace/contract.ts';

/** A new directory that is gone after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'trundle-trace-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export const HEADER: TraceHeader = {
  trundle: '0.1.0',
  format: 2,
  run: 'r1',
  started: '2026-01-02T03:04:05.000Z',
  owner: { pid: 4242, startTime: 1000, host: 'alpha' },
  system: { kernel: 'Linux 6.1.0 x64', node: '20.19.0', zone: 'Etc/UTC' },
};

/** An event with its place in a trace. */
export function event(seq: number, draft: EventDraft, at = seq): TrundleEvent {
  return { v: 1, seq, at, run: 'r1', ...draft } as TrundleEvent;
}

/** A line of a console: the simplest event there is. */
export function printed(seq: number, line: string, at = seq): TrundleEvent {
  return event(seq, { type: 'console.printed', testbed: 'tb1', from: 'backend', line }, at);
}

/** A clock that goes on when told. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Map<object, { at: number; callback: () => void }>();
  now(): number {
    return this.#now;
  }
  after(ms: number, callback: () => void): unknown {
    const handle = {};
    this.#timers.set(handle, { at: this.#now + ms, callback });
    return handle;
  }
  clear(handle: unknown): void {
    this.#timers.delete(handle as object);
  }
  advance(ms: number): void {
    this.#now += ms;
    for (const [handle, timer] of [...this.#timers]) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(handle);
      timer.callback();
    }
  }
}

/** The lines of a trace's file of events, parsed; the header is the first. */
export function linesOf(directory: string): unknown[] {
  return readFileSync(join(directory, 'events.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** Every byte below a directory. */
export function allBytes(directory: string): Buffer {
  return Buffer.concat(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
  );
}
