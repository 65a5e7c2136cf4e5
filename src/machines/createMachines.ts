import { type AnyActorRef, createActor, type StateValue } from 'xstate';
import type { Command, DeadlineTable, Decision, EventDraft, EventType, TrundleEvent } from '../events/index.ts';
import { answersOf } from './answers.ts';
import { MACHINES, type MachineKind } from './machines.ts';
import { causeOf, isFact, type Output, unexpected } from './output.ts';
import { statePath } from './statePath.ts';

/** What all machines together made of one event. */
export interface Reaction {
  /** Derived facts, in the order in which they follow the event into the trace. */
  readonly facts: readonly EventDraft[];
  /** One for each machine that changed its state or told the edges to do something. */
  readonly decisions: readonly Decision[];
}

/** All machines of one run. The same events in the same order always give the same reactions. */
export interface Machines {
  /**
   * Gives an event to every machine that has it in its alphabet; machines come into being by the events that ask
   * for them and are forgotten when they are done. Facts must come back through here, in order.
   */
  accept(event: TrundleEvent): Reaction;
  /** State path of a machine (`kind:id`), or null if there is none (any more). */
  stateOf(machine: string): string | null;
  /** The machines that are not done, as `kind:id`. */
  alive(): readonly string[];
}

interface Instance {
  readonly kind: MachineKind;
  readonly subject: string;
  readonly actor: AnyActorRef;
  value: StateValue;
  /** The event types that its state does something about. */
  answers: ReadonlySet<string>;
}

const KINDS = Object.keys(MACHINES) as MachineKind[];

/** Which kinds of machine an event type reaches, in the order of MACHINES. */
const READERS = new Map<EventType, MachineKind[]>();
for (const kind of KINDS) {
  for (const type of MACHINES[kind].alphabet) READERS.set(type, [...(READERS.get(type) ?? []), kind]);
}

/** What may still come for a machine that is done, and is no news: see IGNORES for the same while it lives. */
const LATE: ReadonlySet<EventType> = new Set<EventType>([
  'deadline.expired',
  'signal.delivered',
  'signal.failed',
  'command.lost',
  'command.closed',
  'command.output',
  'command.exited',
  'command.abandoned',
  'cancel.requested',
  'connection.closed',
  'connection.lost',
  'hangup.requested',
  'process.exited',
  'guest.stopped',
  'guest.panicked',
  'recording.left',
  'endpoint.withdrawn',
  'resource.released',
  'teardown.requested',
  'command.concluded',
  'connection.failed',
  'connection.retired',
  'backend.removed',
  'backend.kept',
  'testbed.removed',
  'reboot.failed',
]);

/** Makes the machines of a run, with only the run machine alive. Pure but for its own memory: no I/O, no clock. */
export function createMachines(): Machines {
  const instances = new Map<string, Instance>();
  const settings = new Map<string, { deadlines: DeadlineTable; maxConnections: number }>();
  let outputs: Output[] = [];

  function bear(kind: MachineKind, id: string, input: unknown): Instance {
    const subject = `${kind}:${id}`;
    // The machines' inputs differ; each birth below gives its own kind's.
    const actor = createActor(MACHINES[kind].machine as never, { input } as never) as unknown as AnyActorRef;
    actor.on('*', (output) => outputs.push(output as Output));
    // Without an observer an error in a machine would be reported to nobody in particular; accept() throws it.
    actor.subscribe({ error: () => {} });
    actor.start();
    const { value } = actor.getSnapshot();
    const instance = { kind, subject, actor, value, answers: answersOf(kind, value) };
    instances.set(subject, instance);
    return instance;
  }

  function birth(event: TrundleEvent): void {
    switch (event.type) {
      case 'testbed.requested': {
        const testbed = event.testbed ?? '';
        // An id stands for one testbed in a run, even after its end: what is late must not reach another.
        if (settings.has(testbed)) return;
        const { deadlines, maxConnections } = event;
        settings.set(testbed, { deadlines, maxConnections });
        bear('testbed', testbed, { testbed, deadlines, maxConnections });
        bear('backend', testbed, { testbed, deadlines });
        return;
      }
      case 'connection.requested': {
        if (instances.has(`connection:${event.connection}`)) return;
        // Nobody would ever hang it up.
        if (!instances.has(`testbed:${event.testbed}`)) return;
        const { connection, login } = event;
        bear('connection', connection, { testbed: event.testbed, connection, login, deadlines: deadlinesOf(event) });
        return;
      }
      case 'command.requested': {
        if (instances.has(`command:${event.command}`)) return;
        const { command, line, timeout, sweep, drain } = event;
        bear('command', command, {
          testbed: event.testbed,
          command,
          line,
          timeout,
          sweep,
          drain,
          deadlines: deadlinesOf(event),
        });
        return;
      }
      case 'reboot.requested': {
        const testbed = event.testbed ?? '';
        if (instances.has(`reboot:${testbed}`)) return;
        const snapshot = instances.get(`testbed:${testbed}`)?.actor.getSnapshot();
        // In any other state the testbed's connections are not there to reboot over, and orphan() says so.
        if (snapshot === undefined || !snapshot.matches('ready')) return;
        const { login, generation } = snapshot.context as { login: string; generation: number };
        bear('reboot', testbed, {
          testbed,
          login,
          generation,
          how: event.how,
          line: event.line ?? '',
          deadlines: deadlinesOf(event),
        });
        return;
      }
    }
  }

  function deadlinesOf(event: TrundleEvent): DeadlineTable {
    return settings.get(event.testbed ?? '')?.deadlines ?? {};
  }

  bear('run', 'run', undefined);

  return {
    accept(event) {
      birth(event);
      const facts: EventDraft[] = [];
      const decisions: Decision[] = [];
      for (const subject of readersOf(event)) {
        const instance = instances.get(subject);
        if (instance === undefined) {
          facts.push(...orphan(event, subject));
          continue;
        }
        if (!instance.answers.has(event.type)) continue;
        outputs = [];
        instance.actor.send(event);
        const snapshot = instance.actor.getSnapshot();
        if (snapshot.status === 'error') throw snapshot.error;
        const commands = sort(outputs, facts);
        if (commands.length > 0 || snapshot.value !== instance.value) {
          if (snapshot.value !== instance.value) {
            instance.value = snapshot.value;
            instance.answers = answersOf(instance.kind, snapshot.value);
          }
          decisions.push({ seq: event.seq, machine: subject, state: statePath(snapshot.value), commands });
        }
        if (snapshot.status === 'done') instances.delete(subject);
      }
      return { facts, decisions };
    },
    stateOf(machine) {
      const instance = instances.get(machine);
      return instance === undefined ? null : statePath(instance.actor.getSnapshot().value);
    },
    alive: () => [...instances.keys()],
  };
}

function sort(outputs: readonly Output[], facts: EventDraft[]): Command[] {
  const commands: Command[] = [];
  for (const output of outputs) {
    if (isFact(output)) facts.push(output);
    else commands.push(output);
  }
  return commands;
}

function readersOf(event: TrundleEvent): string[] {
  if (event.type === 'deadline.expired') return [event.subject];
  const kinds = READERS.get(event.type);
  if (kinds === undefined) return [];
  const subjects: string[] = [];
  for (const kind of kinds) {
    const id = idFor(kind, event);
    if (id !== null) subjects.push(`${kind}:${id}`);
  }
  return subjects;
}

function idFor(kind: MachineKind, event: TrundleEvent): string | null {
  if (kind === 'run') return 'run';
  if (kind === 'command') return 'command' in event ? (event.command as string) : null;
  if (kind === 'connection') return 'connection' in event ? (event.connection as string) : null;
  return event.testbed;
}

/** An event for a machine that is not there: news, unless it only crossed the machine's end. */
function orphan(event: TrundleEvent, subject: string): EventDraft[] {
  const [kind] = subject.split(':', 1);
  const { testbed } = event;
  if (kind === 'reboot') {
    // A testbed has a reboot machine only while it reboots.
    if (event.type !== 'reboot.requested') return [];
    const detail = 'a testbed can be rebooted only while it is ready';
    const cause = causeOf('reboot-failed', 'reboot', 'rebooting the testbed', [event.seq], detail);
    return [{ type: 'reboot.failed', testbed, from: 'machine', cause }];
  }
  if (LATE.has(event.type)) return [];
  const facts: EventDraft[] = [unexpected({ testbed, subject }, 'gone', event)];
  if (event.type === 'command.requested' && kind === 'testbed') {
    const reason = 'there is no such testbed (any more)';
    facts.push({ type: 'command.abandoned', testbed, from: 'machine', command: event.command, reason, cause: null });
  }
  return facts;
}
