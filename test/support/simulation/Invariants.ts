import type { Command, EventDraft } from '../../../src/events/index.ts';
import type { Observation } from './SimulatedJournal.ts';

type Arm = Extract<Command, { type: 'arm' }>;

/** What is counted of one life of a testbed, from testbed.requested to the end of both its machines. */
interface Life {
  readonly calls: string[];
  failures: number;
  removals: number;
  backendRemovals: number;
  readonly resources: Set<string>;
}

const VERBS: readonly string[] = ['create', 'start', 'locate', 'restart', 'reset', 'stop', 'destroy'];
const OUTWARD: readonly string[] = ['dial', 'open-channel', 'identify-boot', 'ask-reboot'];

/** Watches a run and writes down every breach of what must always hold, whatever comes in whatever order. */
export class Invariants {
  readonly breaches: string[] = [];
  /** Deadlines that are armed, by subject and name. */
  readonly armed = new Map<string, Arm>();
  readonly #lives = new Map<string, Life>();
  readonly #requested = new Map<string, number>();
  readonly #concluded = new Map<string, number>();
  readonly #located = new Set<string>();
  #verdicts = 0;

  /** Looks at one event and what came of it. */
  see({ event, reaction, machines, before }: Observation): void {
    const { testbed } = event;
    if (event.type === 'deadline.expired') this.armed.delete(`${event.subject} ${event.deadline}`);
    if (event.type === 'testbed.requested' && testbed !== null && !this.#lives.has(testbed)) {
      this.#lives.set(testbed, { calls: [], failures: 0, removals: 0, backendRemovals: 0, resources: new Set() });
    }
    if (event.type === 'command.requested' && !before.includes(`command:${event.command}`)) {
      count(this.#requested, event.command);
    }
    if (event.type === 'endpoint.announced' && testbed !== null) this.#located.add(testbed);
    const life = this.#lives.get(testbed ?? '');
    if (event.type === 'resource.acquired') life?.resources.add(event.resource);
    if (event.type === 'resource.released') life?.resources.delete(event.resource);
    for (const { machine, commands } of reaction.decisions) {
      for (const command of commands) this.#seeCommand(event.seq, machine, command);
    }
    for (const fact of reaction.facts) this.#seeFact(event.seq, fact);
    const alive = new Set(machines.alive());
    for (const [key, { subject }] of this.armed) {
      if (alive.has(subject)) continue;
      this.armed.delete(key);
      this.#breach(event.seq, `deadline ${key} outlives its machine`);
    }
  }

  /** Adds what must hold once everything has come to its end. */
  conclude(alive: readonly string[]): readonly string[] {
    for (const machine of alive) this.#breach(0, `${machine} never ends`);
    for (const key of this.armed.keys()) this.#breach(0, `deadline ${key} is armed after the end`);
    for (const [testbed, life] of this.#lives) {
      if (life.removals !== 1) this.#breach(0, `${testbed} was removed ${life.removals} times`);
      if (life.backendRemovals !== 1) this.#breach(0, `the backend of ${testbed} ended ${life.backendRemovals} times`);
    }
    for (const [command, births] of this.#requested) {
      const ends = this.#concluded.get(command) ?? 0;
      if (ends !== births) this.#breach(0, `${command} was requested ${births} times and concluded ${ends} times`);
    }
    if (this.#verdicts !== 1) this.#breach(0, `the run was concluded ${this.#verdicts} times`);
    return this.breaches;
  }

  #seeCommand(seq: number, machine: string, command: Command): void {
    if (command.type === 'arm') {
      this.armed.set(`${command.subject} ${command.deadline}`, command);
      if (command.subject !== machine) this.#breach(seq, `${machine} arms a deadline of ${command.subject}`);
      return;
    }
    if (command.type === 'disarm') {
      this.armed.delete(`${command.subject} ${command.deadline}`);
      return;
    }
    if (command.type === 'abort') return;
    const life = this.#lives.get(command.testbed);
    if (life === undefined) {
      this.#breach(seq, `${command.type} for a testbed that never was`);
      return;
    }
    if (OUTWARD.includes(command.type)) {
      if (life.removals > 0) this.#breach(seq, `${machine} commands ${command.type} after the testbed is gone`);
      if (!this.#located.has(command.testbed))
        this.#breach(seq, `${machine} commands ${command.type} before any endpoint`);
    }
    if (!VERBS.includes(command.type)) return;
    if (life.backendRemovals > 0) this.#breach(seq, `${command.type} after the backend has ended`);
    if (['create', 'stop', 'destroy'].includes(command.type) && life.calls.includes(command.type)) {
      this.#breach(seq, `${command.type} is called twice`);
    }
    if (life.calls.includes('destroy')) this.#breach(seq, `${command.type} is called after destroy`);
    life.calls.push(command.type);
  }

  #seeFact(seq: number, fact: EventDraft): void {
    if (fact.type === 'command.concluded') count(this.#concluded, fact.command);
    if (fact.type === 'run.concluded') this.#verdicts += 1;
    if (fact.type !== 'testbed.failed' && fact.type !== 'testbed.removed' && fact.type !== 'backend.removed') return;
    const life = this.#lives.get(fact.testbed ?? '');
    if (life === undefined) {
      this.#breach(seq, `${fact.type} for a testbed that never was`);
      return;
    }
    if (fact.type === 'testbed.failed') life.failures += 1;
    if (fact.type === 'testbed.removed') life.removals += 1;
    if (fact.type === 'backend.removed') {
      life.backendRemovals += 1;
      this.#seeRemoval(seq, fact, life);
    }
    if (life.failures > 1) this.#breach(seq, 'a testbed fails twice');
  }

  #seeRemoval(seq: number, { leftovers }: EventDraft<'backend.removed'>, { calls, resources }: Life): void {
    if (calls.includes('create') && !(calls.includes('stop') && calls.includes('destroy'))) {
      this.#breach(seq, `what was created ends after ${calls.join(', ')}`);
    }
    const held = [...resources].sort().join(' ');
    if ([...leftovers].sort().join(' ') !== held)
      this.#breach(seq, `leftovers are ${leftovers.join(' ')}, not ${held}`);
  }

  #breach(seq: number, what: string): void {
    this.breaches.push(`${seq === 0 ? 'end' : `event ${seq}`}: ${what}`);
  }
}

function count(counts: Map<string, number>, id: string): void {
  counts.set(id, (counts.get(id) ?? 0) + 1);
}
