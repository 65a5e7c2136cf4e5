import type { Command, EventDraft } from '../../../src/events/index.ts';
import type { Observation } from './SimulatedJournal.ts';

type Arm = Extract<Command, { type: 'arm' }>;

/** What is counted of one life of a testbed, from testbed.requested to the end of both its machines. */
interface Life {
  readonly calls: string[];
  failures: number;
  removals: number;
  backendRemovals: number;
  /** Whether somebody asked for it to stay. */
  mayStay: boolean;
  /** What the backend's machine could not remove; null until the testbed's has heard of it. */
  leftovers: readonly string[] | null;
  readonly resources: Set<string>;
}

const VERBS: readonly string[] = ['create', 'start', 'locate', 'restart', 'reset', 'stop', 'destroy', 'keep'];
/** Facts that end a testbed, or tell why it ends. */
const ENDINGS: readonly string[] = [
  'testbed.failed',
  'testbed.removed',
  'testbed.kept',
  'backend.removed',
  'backend.kept',
];
/** What reaches out to the testbed. What only lets go of it (hang-up, close-channel) may come late. */
const OUTWARD: readonly string[] = ['dial', 'open-channel', 'signal', 'identify-boot', 'ask-reboot'];

/** Watches a run and writes down every breach of what must always hold, whatever comes in whatever order. */
export class Invariants {
  readonly breaches: string[] = [];
  /** Deadlines that are armed, by subject and name. */
  readonly armed = new Map<string, Arm>();
  readonly #lives = new Map<string, Life>();
  readonly #requested = new Map<string, number>();
  readonly #concluded = new Map<string, number>();
  /** Commands whose id was given away again. Only chaos does that: such a one takes the end of the first for its own. */
  readonly #reused = new Set<string>();
  readonly #located = new Set<string>();
  /** Connections that were given up: a channel may open on one until it has ended, and its command is ended then. */
  readonly #givenUp = new Set<string>();
  #verdicts = 0;

  /** Looks at one event and what came of it. */
  see({ event, reaction, machines, before }: Observation): void {
    const { testbed } = event;
    if (event.type === 'deadline.expired') this.armed.delete(`${event.subject} ${event.deadline}`);
    if (event.type === 'testbed.requested' && testbed !== null && !this.#lives.has(testbed)) {
      this.#lives.set(testbed, {
        calls: [],
        failures: 0,
        removals: 0,
        backendRemovals: 0,
        mayStay: false,
        leftovers: null,
        resources: new Set(),
      });
    }
    if (event.type === 'command.requested' && !before.includes(`command:${event.command}`)) {
      if (this.#requested.has(event.command)) this.#reused.add(`command:${event.command}`);
      count(this.#requested, event.command);
    }
    if (event.type === 'endpoint.announced' && testbed !== null) this.#located.add(testbed);
    const life = this.#lives.get(testbed ?? '');
    if (event.type === 'teardown.requested' && event.keep === true && life !== undefined) life.mayStay = true;
    if (event.type === 'backend.removed' && life !== undefined) life.leftovers = event.leftovers;
    if (event.type === 'backend.kept' && life !== undefined) life.leftovers = event.resources;
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
    for (const machine of alive) if (!this.#reused.has(machine)) this.#breach(0, `${machine} never ends`);
    for (const [key, { subject }] of this.armed)
      if (!this.#reused.has(subject)) this.#breach(0, `deadline ${key} is armed after the end`);
    for (const [testbed, life] of this.#lives) {
      if (life.removals !== 1) this.#breach(0, `${testbed} was removed ${life.removals} times`);
      if (life.backendRemovals !== 1) this.#breach(0, `the backend of ${testbed} ended ${life.backendRemovals} times`);
    }
    for (const [command, births] of this.#requested) {
      if (this.#reused.has(`command:${command}`)) continue;
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
    if (command.type === 'hang-up') this.#givenUp.add(command.connection);
    if (OUTWARD.includes(command.type)) {
      const tooLate = life.removals > 0 && !(command.type === 'signal' && this.#givenUp.has(command.connection));
      if (tooLate) this.#breach(seq, `${machine} commands ${command.type} after the testbed is gone`);
      if (!this.#located.has(command.testbed))
        this.#breach(seq, `${machine} commands ${command.type} before any endpoint`);
    }
    if (!VERBS.includes(command.type)) return;
    if (life.backendRemovals > 0) this.#breach(seq, `${command.type} after the backend has ended`);
    if (['create', 'stop', 'destroy', 'keep'].includes(command.type) && life.calls.includes(command.type)) {
      this.#breach(seq, `${command.type} is called twice`);
    }
    if (life.calls.includes('destroy')) this.#breach(seq, `${command.type} is called after destroy`);
    life.calls.push(command.type);
  }

  #seeFact(seq: number, fact: EventDraft): void {
    if (fact.type === 'command.concluded') this.#seeConclusion(seq, fact);
    if (fact.type === 'run.concluded') this.#seeVerdict(seq, fact);
    if (!ENDINGS.includes(fact.type)) return;
    const life = this.#lives.get(fact.testbed ?? '');
    if (life === undefined) {
      this.#breach(seq, `${fact.type} for a testbed that never was`);
      return;
    }
    if (fact.type === 'testbed.failed') life.failures += 1;
    if (fact.type === 'testbed.removed') {
      life.removals += 1;
      this.#seeEnd(seq, fact, life);
    }
    if (fact.type === 'backend.removed') {
      life.backendRemovals += 1;
      this.#seeRemoval(seq, fact, life);
    }
    if (fact.type === 'testbed.kept') {
      life.removals += 1;
      this.#seeKept(seq, fact.resources, life);
    }
    if (fact.type === 'backend.kept') {
      life.backendRemovals += 1;
      this.#seeKept(seq, fact.resources, life);
      if (life.calls.at(-1) !== 'keep') this.#breach(seq, `a testbed stays after ${life.calls.join(', ')}`);
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

  #seeKept(seq: number, kept: readonly string[], { resources, mayStay }: Life): void {
    if (!mayStay) this.#breach(seq, 'a testbed stays that nobody asked to');
    const held = [...resources].sort().join(' ');
    if ([...kept].sort().join(' ') !== held) this.#breach(seq, `what stays is ${kept.join(' ')}, not ${held}`);
  }

  #seeEnd(seq: number, { leftovers, cause }: EventDraft<'testbed.removed'>, life: Life): void {
    if (life.failures > 0 && cause === null) this.#breach(seq, 'a testbed failed, and is removed without a cause');
    const known = life.leftovers;
    if (known !== null && known.join(' ') !== leftovers.join(' ')) {
      this.#breach(seq, `the testbed leaves ${leftovers.join(' ')}, but its backend ${known.join(' ')}`);
    }
  }

  #seeConclusion(seq: number, { command, result, cause }: EventDraft<'command.concluded'>): void {
    count(this.#concluded, command);
    const blameless = result.kind === 'lost' || result.kind === 'refused';
    if (blameless && cause === null) this.#breach(seq, `${command} was ${result.kind}, and nobody says why`);
  }

  #seeVerdict(seq: number, { exitCode, cause }: EventDraft<'run.concluded'>): void {
    this.#verdicts += 1;
    const failed = exitCode !== 0 && exitCode !== 2 && exitCode !== 8;
    if (failed !== (cause !== null))
      this.#breach(seq, `exit code ${exitCode} with ${cause === null ? 'no' : 'a'} cause`);
  }

  #breach(seq: number, what: string): void {
    this.breaches.push(`${seq === 0 ? 'end' : `event ${seq}`}: ${what}`);
  }
}

function count(counts: Map<string, number>, id: string): void {
  counts.set(id, (counts.get(id) ?? 0) + 1);
}
