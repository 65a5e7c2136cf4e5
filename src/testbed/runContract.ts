import type { Observable } from 'rxjs';
import type { ConfiguredBackend } from '../backends/contract.ts';
import type { Cause, Clock, Decision, EventDraft, TrundleEvent } from '../events/index.ts';
import type { OpenOptions, Testbed } from './contract.ts';

/** Where a run keeps its trace, and what is injected into it. */
export interface RunOptions {
  /** Directory for the trace, made if absent, which must not hold one yet. Null: keep none. */
  trace: string | null;
  /** Id of the run; made from random bytes if absent. */
  id?: string;
  clock?: Clock;
  randomBytes?: (size: number) => Uint8Array;
  /** Strings that must never be written, from the start. */
  secrets?: readonly string[];
  /** Debug log; never for secrets. */
  log?: (message: string, fields?: Record<string, unknown>) => void;
}

/** One run: its journal and trace, its machines, and the testbeds in it. */
export interface Run {
  readonly id: string;
  /** Directory of the trace; null where none is kept. */
  readonly trace: string | null;
  /** Every event of the run from now on, in trace order. Hot; completes when the run is closed. */
  readonly events$: Observable<TrundleEvent>;
  /** What machines made of the events. Hot. */
  readonly decisions$: Observable<Decision>;
  /** Takes a fact into the run. Facts of a runner have `from: 'runner'`, of a person `from: 'operator'`. */
  emit(draft: EventDraft): void;
  /**
   * Aborts when the run machine says `abort`: whoever holds a testbed stops what it does there and closes it. A
   * testbed that is still being opened is torn down by itself.
   */
  readonly aborted: AbortSignal;
  /** Aborts when the run machine says `abort` with force: every testbed is being torn down at once. */
  readonly forced: AbortSignal;
  /** Strings that must not be written from now on. */
  redact(secrets: readonly string[]): void;
  /** @throws TestbedError where it never became ready; what stood is torn down by then. */
  openTestbed(backend: ConfiguredBackend, options?: OpenOptions): Promise<Testbed>;
  /** Why the run failed, as far as it is known. */
  readonly cause: Cause | null;
  /** Closes open testbeds, emits `run.finished`, waits for `run.concluded`, closes the trace. */
  close(): Promise<RunEnd>;
}

/** How a run ended. */
export interface RunEnd {
  /** autopkgtest's exit code (autopkgtest(1), EXIT STATUS); 130 or 143 where SIGINT or SIGTERM ended the run. */
  readonly exitCode: number;
  readonly cause: Cause | null;
  readonly trace: string | null;
}
