import { type AnyMachineSnapshot, type AnyStateNode, type AnyTransitionDefinition, createActor } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import type { Command, EventDraft, TrundleEvent } from '../../src/events/index.ts';
import { type MachineKind, statePath } from '../../src/machines/index.ts';
import { machineOf, pathOf, statesBelow } from './machineNodes.ts';
import { SAMPLE_INPUTS, sampleEvents } from './sampleEvents.ts';

/** A way through a machine, walked for real. */
export interface Walk {
  readonly events: readonly TrundleEvent[];
  /** Where the generator says that it ends. */
  readonly expected: string;
  /** Where it ended. */
  readonly state: string;
  readonly final: boolean;
  /** What the machine emitted, in order, and the deadlines that passed, where they did. */
  readonly outputs: readonly (Command | EventDraft | TrundleEvent<'deadline.expired'>)[];
  /** Names of the transitions that were taken, and of the states that were entered. */
  readonly taken: ReadonlySet<string>;
  readonly entered: ReadonlySet<string>;
  /** Whether the last state does something about an event. */
  readonly hears: (event: TrundleEvent) => boolean;
}

/** Much of a context makes no difference to what a machine can do next, and would make the ways through it endless. */
const DIFFERENCE: Readonly<Record<MachineKind, (context: Record<string, unknown>, state: string) => unknown>> = {
  run: ({ open, signal }) => [(open as unknown[]).length > 0, signal === null],
  testbed: ({ pool }, state) => differenceOfPool(pool as Pool, state),
  backend: ({ removalWanted }) => removalWanted,
  connection: () => null,
  command: ({ sweep }) => sweep,
  reboot: () => null,
};

interface Pool {
  readonly connections: readonly { id: string; login: string; established: boolean; active: readonly string[] }[];
  readonly queue: readonly { command: string }[];
  readonly stranded: readonly unknown[];
}

/** In `ready` it matters which command is on which connection; elsewhere, whether there are any. */
function differenceOfPool({ connections, queue, stranded }: Pool, state: string): unknown {
  if (!state.startsWith('ready')) return [connections.length > 0, queue.length + stranded.length > 0];
  const standing = connections.map(({ id, established, active }) => [id, established, active.length]);
  return [standing, queue.length > 0];
}

/** Contexts beyond which there is nothing new to be found. */
const ENOUGH: Readonly<Partial<Record<MachineKind, (context: Record<string, unknown>) => boolean>>> = {
  testbed: ({ pool, generation }) => (pool as { made: number }).made > 2 || (generation as number) > 0,
};

/**
 * Shortest ways to every state that can be told apart, and one step further by every event that is known; all walked
 * for real. A step further is taken where it takes a transition that no way before has taken.
 */
export function walksOf(kind: MachineKind): Walk[] {
  const machine = machineOf(kind);
  const known = new Set<string>();

  /** Whether an event takes a transition that no way has taken before. */
  const isNews = (snapshot: AnyMachineSnapshot, event: TrundleEvent) => {
    const names = (machine.getTransitionData(snapshot, event) as AnyTransitionDefinition[]).map(nameOf);
    const news = names.filter((name) => !known.has(name));
    for (const name of news) known.add(name);
    return news.length > 0;
  };
  return SAMPLE_INPUTS[kind].flatMap((input) => {
    const paths = getShortestPaths(machine, {
      input,
      events: (snapshot: AnyMachineSnapshot) => sampleEvents(kind, snapshot.context) as never,
      serializeState: (snapshot: AnyMachineSnapshot) => {
        const state = statePath(snapshot.value);
        return JSON.stringify([state, DIFFERENCE[kind](snapshot.context, state)]);
      },
      stopWhen: (snapshot: AnyMachineSnapshot) =>
        snapshot.status !== 'active' || ENOUGH[kind]?.(snapshot.context) === true,
    });
    return paths.flatMap(({ steps, state: end }) => {
      const snapshot = end as unknown as AnyMachineSnapshot;
      const events = steps.map(({ event }) => event as unknown as TrundleEvent).filter(({ type }) => !isInit(type));
      const to = walk(kind, input, events, statePath(snapshot.value));
      const onwards = to.final ? [] : sampleEvents(kind, snapshot.context).filter((event) => isNews(snapshot, event));
      return [to, ...onwards.map((event) => walk(kind, input, [...events, event], null))];
    });
  });
}

function isInit(type: string): boolean {
  return type.startsWith('xstate.');
}

function walk(kind: MachineKind, input: object, events: readonly TrundleEvent[], expected: string | null): Walk {
  const outputs: Walk['outputs'][number][] = [];
  const taken = new Set<string>();
  const entered = new Set<string>();
  // States that are only passed through are seen in no snapshot but those of the inspector.
  const look = ({ _nodes }: AnyMachineSnapshot) => {
    for (const node of _nodes as AnyStateNode[]) entered.add(pathOf(node));
  };
  const actor = createActor(machineOf(kind), {
    input,
    inspect: (seen) => {
      if (seen.type !== '@xstate.microstep') return;
      look(seen.snapshot as AnyMachineSnapshot);
      for (const transition of seen._transitions as AnyTransitionDefinition[]) {
        // What starts a machine is no transition of it.
        if (transition.source !== undefined && transition.eventType !== 'xstate.init') taken.add(nameOf(transition));
      }
    },
  });
  actor.on('*', (output) => outputs.push(output as Command | EventDraft));
  look(actor.getSnapshot() as AnyMachineSnapshot);
  actor.start();
  for (const event of events) {
    if (event.type === 'deadline.expired') outputs.push(event);
    actor.send(event);
  }
  const snapshot = actor.getSnapshot() as AnyMachineSnapshot;
  const state = statePath(snapshot.value);
  const hears = (event: TrundleEvent) => snapshot.can(event);
  return {
    events,
    expected: expected ?? state,
    state,
    final: snapshot.status === 'done',
    outputs,
    taken,
    entered,
    hears,
  };
}

/** Every transition in a machine's chart, by name. */
export function transitionsOf(kind: MachineKind): string[] {
  const { root } = machineOf(kind);
  return [root, ...statesBelow(root)].flatMap((node) =>
    [...node.transitions.values(), node.always ?? []].flat().map(nameOf),
  );
}

/** A transition by where it stands and what it waits for: the second answer to an event is `channel.refused #2`. */
function nameOf(transition: AnyTransitionDefinition): string {
  const { source, eventType } = transition;
  const siblings = eventType === '' ? (source.always ?? []) : (source.transitions.get(eventType) ?? []);
  const index = siblings.indexOf(transition);
  const place = pathOf(source);
  return `${place === '' ? '(any)' : place} ${eventType === '' ? 'at once' : eventType}${index > 0 ? ` #${index + 1}` : ''}`;
}
