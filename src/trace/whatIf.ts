import type { Cause, Decision, EventDraft, TrundleEvent } from '../events/index.ts';
import type { Machines } from '../machines/index.ts';
import { describeEvent } from './explain/describeEvent.ts';
import { sameFact, sameJson } from './sameJson.ts';

/** A change of what happened. */
export type Edit =
  /** As if this event had not been. */
  | { kind: 'without'; seq: number }
  /** As if this had happened right after that event (0: before all). */
  | { kind: 'insert'; after: number; draft: EventDraft }
  /** As if this deadline had been so many milliseconds, wherever it was set. */
  | { kind: 'deadline'; deadline: string; ms: number };

/** How a history ends. */
export interface Verdict {
  exitCode: number;
  cause: Cause | null;
}

/** A history that was edited, and what today's machines make of it. */
export interface WhatIf {
  /** Null where the history has no end. */
  before: Verdict | null;
  after: Verdict | null;
  /** Where the machines first go another way; null where they never do. */
  parted: { seq: number; text: string } | null;
  /** Events of the new history, facts of the machines included. */
  events: readonly TrundleEvent[];
  /** Events that are in no recording: inserted, or concluded by machines now. They have numbers beyond the last. */
  added: readonly TrundleEvent[];
  /** Facts that machines concluded then, and do not now. */
  gone: readonly TrundleEvent[];
  /** Events that machines met in a state that does not expect them. */
  unexpected: number;
  /** Whose deadline was taken away, as `command:tb1.x5`, and who then comes to no recorded end. */
  open: readonly string[];
}

type Fold = Pick<Machines, 'accept'>;

/** An edit that cannot be made. */
export class EditError extends Error {
  override readonly name = 'EditError';
}

/**
 * Gives an edited history to today's machines. What machines concluded follows anew from what is left; the world's
 * answers stay as they were recorded, also to commands that are no longer given. Pure.
 * @throws EditError for an event that is not there, or that follows from others
 */
export function whatIf(events: readonly TrundleEvent[], edits: readonly Edit[], createMachines: () => Fold): WhatIf {
  check(events, edits);
  const history = new History(events, edits, createMachines());
  history.run();
  const before = verdictOf(events);
  return { before, ...history.result() };
}

function check(events: readonly TrundleEvent[], edits: readonly Edit[]): void {
  const last = events.at(-1)?.seq ?? 0;
  for (const edit of edits) {
    const seq = edit.kind === 'without' ? edit.seq : edit.kind === 'insert' ? edit.after : 0;
    if (seq > last) throw new EditError(`there is no event ${seq}: the trace has ${last}`);
    if (edit.kind !== 'without') continue;
    const event = events[seq - 1];
    if (event === undefined) throw new EditError(`there is no event ${seq}: events count from 1`);
    if (event.from === 'machine')
      throw new EditError(
        `event ${seq} is what a machine concluded (${describeEvent(event)}): take away what it follows from`,
      );
  }
}

/** Pure. */
export function verdictOf(events: readonly TrundleEvent[]): Verdict | null {
  const conclusion = events.findLast((event) => event.type === 'run.concluded') as
    | TrundleEvent<'run.concluded'>
    | undefined;
  return conclusion === undefined ? null : { exitCode: conclusion.exitCode, cause: conclusion.cause };
}

interface Timer {
  draft: EventDraft;
  due: number;
}

class History {
  readonly #recorded: readonly TrundleEvent[];
  readonly #without = new Set<number>();
  readonly #inserted = new Map<number, EventDraft[]>();
  readonly #deadlines = new Map<string, number>();
  readonly #machines: Fold;
  readonly #pending: EventDraft[] = [];
  /** Deadlines under other limits that run, by subject and name. */
  readonly #timers = new Map<string, Timer>();
  readonly #events: TrundleEvent[] = [];
  readonly #taken = new Set<TrundleEvent>();
  readonly #added: TrundleEvent[] = [];
  readonly #gone: TrundleEvent[] = [];
  /** Subjects of deadlines that were taken away: what would have come of them nobody knows. */
  readonly #open = new Set<string>();
  /** The command of each test, and how each command ended in this history. */
  readonly #commands = new Map<string, string>();
  readonly #ends = new Map<string, TrundleEvent<'command.concluded'>>();
  #next: number;
  #edited = false;
  #parted: WhatIf['parted'] = null;
  #unexpected = 0;

  constructor(recorded: readonly TrundleEvent[], edits: readonly Edit[], machines: Fold) {
    this.#recorded = recorded;
    this.#machines = machines;
    this.#next = (recorded.at(-1)?.seq ?? 0) + 1;
    for (const edit of edits) {
      if (edit.kind === 'without') this.#without.add(edit.seq);
      else if (edit.kind === 'deadline') this.#deadlines.set(edit.deadline, edit.ms);
      else this.#inserted.set(edit.after, [...(this.#inserted.get(edit.after) ?? []), edit.draft]);
    }
  }

  run(): void {
    this.#insertAfter(0);
    for (const event of this.#recorded) {
      this.#expire(event.at);
      if (event.from === 'machine') this.#fact(event);
      else if (this.#isEdited(event)) this.#withdraw(event);
      else if (!this.#isMoot(event)) {
        // In the recorded order while that holds; after it, what follows from an event comes right behind it.
        if (this.#edited) this.#settle();
        this.#take(this.#told(event));
      }
      this.#insertAfter(event.seq);
    }
    this.#settle();
  }

  result(): Omit<WhatIf, 'before'> {
    return {
      after: verdictOf(this.#events),
      parted: this.#parted,
      events: this.#events,
      added: this.#added,
      gone: this.#gone,
      unexpected: this.#unexpected,
      open: [...this.#open].filter((subject) => !this.#ends.has(subject.replace('command:', ''))),
    };
  }

  #isEdited(event: TrundleEvent): boolean {
    return this.#without.has(event.seq) || (event.type === 'deadline.expired' && this.#deadlines.has(event.deadline));
  }

  #withdraw(event: TrundleEvent): void {
    this.#edited = true;
    if (event.type === 'deadline.expired') this.#open.add(event.subject);
  }

  /** What came only of something that is no longer so: a signal that nobody sends, a failure that nobody has. */
  #isMoot(event: TrundleEvent): boolean {
    if (!this.#edited) return false;
    if (event.type === 'test.finished') return this.#isOpen(this.#commands.get(event.test));
    if (event.type === 'step.failed')
      return this.#gone.some((fact) => 'cause' in fact && sameJson(fact.cause, event.cause));
    return (
      event.from === 'driver' && 'command' in event && event.type !== 'command.lost' && this.#isOpen(event.command)
    );
  }

  #isOpen(command: string | undefined): boolean {
    return command !== undefined && this.#open.has(`command:${command}`) && !this.#ends.has(command);
  }

  /** How a test ended is the end of its command, told by the runner. */
  #told(event: TrundleEvent): TrundleEvent {
    if (event.type === 'test.started') this.#commands.set(event.test, event.command);
    if (event.type !== 'test.finished' || !this.#edited) return event;
    const end = this.#ends.get(this.#commands.get(event.test) ?? '');
    return end === undefined ? event : { ...event, result: end.result, leaked: end.leaked, cause: end.cause };
  }

  #insertAfter(seq: number): void {
    const drafts = this.#inserted.get(seq) ?? [];
    if (drafts.length === 0) return;
    this.#edited = true;
    this.#settle();
    for (const draft of drafts) this.#add(draft, this.#events.at(-1)?.at ?? 0);
    this.#settle();
  }

  /** A fact that was recorded: it comes now, or it no longer comes. */
  #fact(recorded: TrundleEvent): void {
    const index = this.#pending.findIndex((fact) => sameFact(recorded, fact));
    if (index === -1) {
      // Under another order it came earlier.
      if (this.#taken.has(recorded)) return;
      this.#gone.push(recorded);
      this.#part(recorded.seq, `no longer: ${describeEvent(recorded)}`);
      return;
    }
    this.#pending.splice(index, 1);
    this.#take(recorded);
  }

  /** What machines concluded and the recording does not hold. */
  #settle(): void {
    for (let fact = this.#pending.shift(); fact !== undefined; fact = this.#pending.shift()) {
      const at = this.#events.at(-1);
      const known = this.#recorded.find(
        (event) => event.from === 'machine' && !this.#taken.has(event) && sameFact(event, fact as EventDraft),
      );
      if (known !== undefined) {
        this.#take(known);
        continue;
      }
      const added = this.#add(fact, at?.at ?? 0);
      this.#part(at?.seq ?? 0, `now: ${describeEvent(added)}`);
    }
  }

  #add(draft: EventDraft, at: number): TrundleEvent {
    const run = this.#recorded[0]?.run ?? '';
    const event = { v: 1, seq: this.#next++, at, run, ...draft } as TrundleEvent;
    this.#added.push(event);
    this.#take(event);
    return event;
  }

  #take(event: TrundleEvent): void {
    if (this.#taken.has(event)) return;
    this.#taken.add(event);
    this.#events.push(event);
    if (event.type === 'event.unexpected') this.#unexpected++;
    if (event.type === 'command.concluded') this.#ends.set(event.command, event);
    const limit = this.#deadlines.get('command');
    const shown =
      event.type === 'command.requested' && limit !== undefined && event.timeout !== null
        ? { ...event, timeout: limit }
        : event;
    const { facts, decisions } = this.#machines.accept(shown);
    this.#pending.push(...facts);
    for (const decision of decisions) this.#time(decision, event.at);
  }

  #time({ commands }: Decision, at: number): void {
    for (const command of commands) {
      if (command.type !== 'arm' && command.type !== 'disarm') continue;
      const ms = this.#deadlines.get(command.deadline);
      if (ms === undefined) continue;
      const { deadline, subject, testbed } = command;
      const key = `${subject} ${deadline}`;
      if (command.type === 'disarm') this.#timers.delete(key);
      else {
        const draft: EventDraft = { type: 'deadline.expired', testbed, from: 'runner', deadline, subject, after: ms };
        this.#timers.set(key, { draft, due: at + ms });
      }
    }
  }

  /** Deadlines under other limits that pass before `at`. */
  #expire(at: number): void {
    for (const [key, { draft, due }] of this.#timers) {
      if (due > at) continue;
      this.#timers.delete(key);
      this.#edited = true;
      this.#settle();
      // The recording holds it, where it passed at the same moment.
      this.#add(draft, due);
      this.#settle();
    }
  }

  #part(seq: number, text: string): void {
    this.#parted ??= { seq, text };
  }
}
