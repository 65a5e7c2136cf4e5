import type { Command, EventDraft, TrundleEvent } from '../../../src/events/index.ts';
import { createMachines, type Machines, type Reaction } from '../../../src/machines/index.ts';

/** What an observer of a simulated run sees of each event, after the machines and before the edges. */
export interface Observation {
  readonly event: TrundleEvent;
  readonly reaction: Reaction;
  readonly machines: Machines;
  /** Machines that were alive before the event. */
  readonly before: readonly string[];
}

/**
 * Facts and machines in the order of the real journal: first in, first out, with an event's derived facts at the end
 * of the line and its commands carried out before the next event is looked at.
 */
export class SimulatedJournal {
  readonly machines: Machines = createMachines();
  readonly events: TrundleEvent[] = [];
  readonly reactions: Reaction[] = [];
  readonly #waiting: EventDraft[] = [];
  readonly #perform: (command: Command) => void;
  readonly #observe: (observation: Observation) => void;

  constructor(perform: (command: Command) => void, observe: (observation: Observation) => void) {
    this.#perform = perform;
    this.#observe = observe;
  }

  /** Puts a fact at the end of the line. */
  append(draft: EventDraft): void {
    this.#waiting.push(draft);
  }

  /** Takes all facts in the line, and those that follow from them. */
  settle(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#take(next);
  }

  #take(draft: EventDraft): void {
    const seq = this.events.length + 1;
    const event = { v: 1, seq, at: seq, run: 'run', ...draft } as TrundleEvent;
    this.events.push(event);
    const before = this.machines.alive();
    const reaction = this.machines.accept(event);
    this.reactions.push(reaction);
    for (const fact of reaction.facts) this.#waiting.push(fact);
    this.#observe({ event, reaction, machines: this.machines, before });
    for (const { commands } of reaction.decisions) for (const command of commands) this.#perform(command);
  }
}
