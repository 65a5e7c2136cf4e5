import type { EventDraft, EventType, TrundleEvent } from '../../../src/events/index.ts';
import type { Reaction } from '../../../src/machines/index.ts';
import { draft, EVENT_TYPES } from '../facts.ts';
import { Invariants } from './Invariants.ts';
import { SimulatedEdges } from './SimulatedEdges.ts';
import { SimulatedJournal } from './SimulatedJournal.ts';
import { SimulatedPeople } from './SimulatedPeople.ts';

/** What a simulated run is made of. */
export interface Script {
  /** Each number picks the next thing that happens. */
  choices: readonly number[];
  /** Whether any event of the vocabulary may come at any time, for ids that are known. */
  chaos: boolean;
  /** After the last choice teardown is asked for, and the world goes on answering, or only deadlines pass. */
  finale: 'answering' | 'silent';
}

/** What came of it. */
export interface Outcome {
  breaches: readonly string[];
  events: readonly TrundleEvent[];
  reactions: readonly Reaction[];
}

/**
 * Facts that only machines derive: they reach the journal from nowhere else, so chaos does not forge them, but for
 * those that people ask for as well.
 */
const DERIVED: ReadonlySet<EventType> = new Set<EventType>([
  'testbed.readied',
  'testbed.failed',
  'testbed.removed',
  'testbed.kept',
  'startup.requested',
  'restart.requested',
  'reset.requested',
  'removal.requested',
  'backend.readied',
  'backend.failed',
  'backend.removed',
  'backend.kept',
  'connection.requested',
  'hangup.requested',
  'connection.established',
  'connection.failed',
  'connection.retired',
  'reboot.proven',
  'reboot.failed',
  'command.assigned',
  'command.abandoned',
  'command.concluded',
  'test.judged',
  'run.concluded',
  'event.unexpected',
  'run.finished',
]);

const FORGEABLE = EVENT_TYPES.filter((type) => !DERIVED.has(type));

/** More steps than any run needs to come to its end: beyond them it never will. */
const PATIENCE = 20_000;

/** Runs all machines in a simulated world and says what must not be. Deterministic in its script. */
export function simulate({ choices, chaos, finale }: Script): Outcome {
  const invariants = new Invariants();
  const journal = new SimulatedJournal(
    (command) => {
      edges.perform(command);
      people.perform(command);
    },
    (observation) => invariants.see(observation),
  );
  const append = (each: EventDraft) => journal.append(each);
  const edges = new SimulatedEdges(append);
  const people = new SimulatedPeople(append, () => journal.machines);

  const expire = (pick: number) => {
    const armed = [...invariants.armed.values()];
    const chosen = armed[pick % armed.length];
    if (chosen === undefined) return;
    const { testbed, deadline, subject, ms } = chosen;
    // Disarmed while the fact waits in line, it comes all the same: the machines must bear that.
    append({ type: 'deadline.expired', testbed, from: 'runner', deadline, subject, after: ms });
    invariants.armed.delete(`${subject} ${deadline}`);
  };

  const step = (choice: number, groups: (() => void)[][]) => {
    const group = groups[choice % groups.length] ?? [];
    group[Math.floor(choice / groups.length) % group.length]?.();
  };

  for (const choice of choices) {
    const [kind, rest] = [choice % 16, Math.floor(choice / 16)];
    if (kind === 0) expire(rest);
    else if (chaos && kind < 4) append(forged(rest, journal, edges, people));
    else step(Math.floor(rest / 4), [...edges.moves(), people.moves()]);
    // Now and then more than one fact waits in line.
    if (rest % 4 !== 0) journal.settle();
  }
  journal.settle();

  for (const machine of journal.machines.alive()) {
    const [kind, testbed] = machine.split(':');
    if (kind === 'testbed' && testbed !== undefined) people.teardown(testbed, choices.length % 3 === 0);
  }
  journal.settle();
  let random = choices.length + 1;
  for (let steps = 0; steps < PATIENCE; steps += 1) {
    random = (random * 48_271) % 2_147_483_647;
    const groups = finale === 'answering' ? edges.moves() : [];
    if (groups.length === 0 && invariants.armed.size === 0) break;
    if (groups.length === 0 || random % 5 === 0) expire(random >> 3);
    else step(random >> 3, groups);
    journal.settle();
  }
  append(draft('run.finished', {}, null, 'runner'));
  journal.settle();
  return {
    breaches: invariants.conclude(journal.machines.alive()),
    events: journal.events,
    reactions: journal.reactions,
  };
}

function forged(pick: number, journal: SimulatedJournal, edges: SimulatedEdges, people: SimulatedPeople): EventDraft {
  const type = FORGEABLE[pick % FORGEABLE.length] ?? 'console.printed';
  const rest = Math.floor(pick / FORGEABLE.length);
  const testbed = at(people.testbeds, rest) ?? 'tb1';
  const connections = journal.machines.alive().filter((each) => each.startsWith('connection:'));
  const connection = (at(connections, rest) ?? `connection:${testbed}.c1`).replace('connection:', '');
  const command = at([...edges.ids().commands, ...people.commands], rest) ?? 'x1';
  const subject = at(journal.machines.alive(), rest) ?? 'run:run';
  const data: Record<string, unknown> = { connection, command, subject, force: rest % 2 === 0 };
  const usual = draft(type, {}, testbed) as Record<string, unknown> & EventDraft;
  const known = Object.fromEntries(Object.entries(data).filter(([name]) => name in usual));
  return { ...usual, ...known } as EventDraft;
}

function at<T>(list: readonly T[], index: number): T | undefined {
  return list[index % Math.max(1, list.length)];
}
