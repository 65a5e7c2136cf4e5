import type { Cause, Decision, EventDraft, TrundleEvent } from '../events/index.ts';
import type { Machines } from '../machines/index.ts';
import type { DecisionLine, TraceLine } from './contract.ts';
import { messageOf } from './files.ts';
import { isEvent } from './folds.ts';
import type { Trace } from './readTrace.ts';
import { sameFact, sameJson } from './sameJson.ts';
import type { TraceError } from './TraceError.ts';

/** What a replay needs: today's machines. */
export interface ReplayOptions {
  createMachines: () => Pick<Machines, 'accept'>;
}

/** A replay that found no difference. */
export interface SameReplay {
  same: true;
  events: number;
  decisions: number;
  /** Null where the trace ends before the run did; all that is there was the same. */
  verdict: { exitCode: number; cause: Cause | null } | null;
  /**
   * Where the trace is damaged, for a reading that goes on there. Only what stands before the first place is proved;
   * the verdict may stand after it.
   */
  damage: readonly TraceError[];
}

/** The first place where today's machines differ from those that ran. */
export interface DifferentReplay {
  same: false;
  /** Seq of the event after which they differ. */
  at: number;
  /** The machine that differs, as `kind:id`; null where it is a fact, which does not name its machine. */
  machine: string | null;
  /** What the trace holds; null where it holds nothing more. */
  recorded: DecisionLine | TrundleEvent | null;
  /** What today's machines make of it; null where they make nothing of it. */
  now: DecisionLine | EventDraft | { error: string } | null;
}

/** How a replay went. */
export type Replay = SameReplay | DifferentReplay;

/**
 * Gives every recorded event to today's machines and compares what they make of it, facts and decisions, with what
 * was recorded. Stops at the first difference. A trace without an end is replayed as far as it goes; what
 * `trundle reap` added to it later is not the machines' and is left out.
 * @throws TraceError where the trace cannot be read
 */
export async function replay(trace: Trace, options: ReplayOptions): Promise<Replay> {
  const replayed = await compared(trace, options, {});
  // A damaged word may look like another decision: a closer look tells one from the other.
  return replayed.same && replayed.damage.length === 0 ? replayed : await compared(trace, options, { validate: true });
}

async function compared(trace: Trace, options: ReplayOptions, how: { validate?: boolean }): Promise<Replay> {
  const comparison = new Comparison(options.createMachines());
  for await (const lines of trace.batches(how)) {
    // Behind damage the machines would lack what they did not see.
    const isWhole = trace.damage.length === 0;
    for (const line of lines) {
      const difference = isWhole ? comparison.line(line) : comparison.seen(line);
      if (difference !== null) return difference;
    }
  }
  return comparison.end(trace.damage);
}

class Comparison {
  readonly #machines: Pick<Machines, 'accept'>;
  /** What the machines made of the events so far and the trace has yet to show, in order. */
  readonly #facts = new Queue<EventDraft>();
  readonly #decisions = new Queue<Decision>();
  #seq = 0;
  #events = 0;
  #compared = 0;
  #verdict: SameReplay['verdict'] = null;
  #reaped = false;

  constructor(machines: Pick<Machines, 'accept'>) {
    this.#machines = machines;
  }

  line(line: TraceLine): DifferentReplay | null {
    if (!isEvent(line)) return this.#decision(line);
    this.#events++;
    if (isReaped(line)) this.#reaped = true;
    this.seen(line);
    return this.#reaped ? null : this.#event(line);
  }

  /** Takes no more of a line than the verdict. */
  seen(line: TraceLine): null {
    if (isEvent(line) && line.type === 'run.concluded') this.#verdict = { exitCode: line.exitCode, cause: line.cause };
    return null;
  }

  end(damage: readonly TraceError[]): Replay {
    // Without a verdict of its own the run was cut off, at any line.
    if (this.#verdict !== null && !this.#reaped && damage.length === 0) {
      const missing = this.#missing();
      if (missing !== null) return missing;
    }
    return { same: true, events: this.#events, decisions: this.#compared, verdict: this.#verdict, damage };
  }

  #event(event: TrundleEvent): DifferentReplay | null {
    // The journal writes an event's decisions right behind it.
    const decision = this.#decisions.take();
    if (decision !== null) return differs(this.#seq, decision.machine, null, inShort(decision));
    this.#seq = event.seq;
    if (event.from === 'machine') {
      const fact = this.#facts.take();
      if (fact === null || !sameFact(event, fact)) return differs(event.seq, null, event, fact);
    }
    try {
      const { facts, decisions } = this.#machines.accept(event);
      for (const each of facts) this.#facts.add(each);
      for (const each of decisions) this.#decisions.add(each);
      return null;
    } catch (error) {
      return differs(event.seq, null, event, { error: messageOf(error) });
    }
  }

  #decision(recorded: DecisionLine): DifferentReplay | null {
    const decision = this.#decisions.take();
    const now = decision === null ? null : inShort(decision);
    if (decision === null || !sameJson(recorded, now)) return differs(recorded.d, recorded.m, recorded, now);
    this.#compared++;
    return null;
  }

  #missing(): DifferentReplay | null {
    const decision = this.#decisions.take();
    if (decision !== null) return differs(this.#seq, decision.machine, null, inShort(decision));
    const fact = this.#facts.take();
    return fact === null ? null : differs(this.#seq, null, null, fact);
  }
}

/** First in, first out, without moving what waits. */
class Queue<T> {
  #items: T[] = [];
  #next = 0;

  add(item: T): void {
    this.#items.push(item);
  }

  take(): T | null {
    const item = this.#items[this.#next];
    if (item === undefined) return null;
    this.#next++;
    if (this.#next === this.#items.length) {
      this.#items = [];
      this.#next = 0;
    }
    return item;
  }
}

/** Whether an event was added by reap: only it says such things in an operator's name. */
function isReaped(event: TrundleEvent): boolean {
  return event.from === 'operator' && (event.type === 'resource.released' || event.type === 'run.concluded');
}

function inShort({ seq, machine, state, commands }: Decision): DecisionLine {
  return commands.length === 0 ? { d: seq, m: machine, s: state } : { d: seq, m: machine, s: state, c: commands };
}

function differs(
  at: number,
  machine: string | null,
  recorded: DifferentReplay['recorded'],
  now: DifferentReplay['now'],
): DifferentReplay {
  return { same: false, at, machine, recorded, now };
}
