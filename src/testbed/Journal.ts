import { Subject } from 'rxjs';
import {
  type Clock,
  type Command,
  type Decision,
  EVENT_VERSION,
  type EventDraft,
  type TrundleEvent,
} from '../events/index.ts';
import { createMachines, type Machines, type Reaction } from '../machines/index.ts';
import type { Recorder } from '../trace/index.ts';

/** What a journal needs. */
export interface JournalOptions {
  run: string;
  clock: Clock;
  /** Null where no trace is kept. */
  recorder: Recorder | null;
  /** Carries a command out; what comes of it returns as events. */
  perform: (command: Command) => void;
  /** A machine, or what carries out its commands, failed: a bug of ours. No machine sees another fact. */
  onFatal: (error: unknown) => void;
}

/** What broken machines make of an event. */
const NOTHING: Reaction = { facts: [], decisions: [] };

/**
 * The one way by which facts enter a run: gives each its place, writes it down, shows it to the machines, and hands
 * their commands to the edges. Facts that come while another is being taken in wait for their turn, so the order in
 * the trace is the order in which the machines saw them.
 */
export class Journal {
  readonly machines: Machines = createMachines();
  readonly events$ = new Subject<TrundleEvent>();
  readonly decisions$ = new Subject<Decision>();
  readonly #options: JournalOptions;
  readonly #start: number;
  readonly #waiting: EventDraft[] = [];
  #taking = false;
  #broken = false;
  #closed = false;
  #seq = 0;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#start = options.clock.now();
  }

  /** Takes a fact in. Facts that come after the end are dropped: nobody could read them. */
  append(draft: EventDraft): void {
    if (this.#closed) return;
    this.#waiting.push(draft);
    if (this.#taking) return;
    this.#taking = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#take(next);
    } finally {
      this.#taking = false;
    }
  }

  /** Takes no more facts and completes the streams. */
  close(): void {
    this.#closed = true;
    this.events$.complete();
    this.decisions$.complete();
  }

  #take(draft: EventDraft): void {
    const { run, clock, recorder, perform } = this.#options;
    this.#seq += 1;
    const at = Math.round((clock.now() - this.#start) * 1000) / 1000;
    const event = { v: EVENT_VERSION, seq: this.#seq, at, run, ...draft } as TrundleEvent;
    recorder?.event(event);
    const { facts, decisions } = this.#ask(event);
    for (const fact of facts) this.#waiting.push(fact);
    for (const decision of decisions) {
      recorder?.decision(decision);
      if (this.decisions$.observed) this.decisions$.next(decision);
    }
    this.events$.next(event);
    for (const command of decisions.flatMap((decision) => decision.commands)) {
      if (this.#broken) return;
      try {
        perform(command);
      } catch (error) {
        this.#break(error);
      }
    }
  }

  #ask(event: TrundleEvent): Reaction {
    if (this.#broken) return NOTHING;
    try {
      return this.machines.accept(event);
    } catch (error) {
      this.#break(error);
      return NOTHING;
    }
  }

  #break(error: unknown): void {
    this.#broken = true;
    this.#options.onFatal(error);
  }
}
