import type { MachineContext } from 'xstate';
import type { Deadline, EventData, EventType, TrundleEvent } from '../../src/events/index.ts';
import { MACHINES, type MachineKind } from '../../src/machines/index.ts';
import { cause, fact } from './facts.ts';

type Variants = { readonly [T in EventType]?: readonly Partial<EventData<T>>[] };

/** Where it matters what an event says: each kind of thing that it can say. */
const VARIANTS: Variants = {
  'removal.requested': [{ force: false }, { force: true }, { force: false, keep: true }],
  'teardown.requested': [{ force: false }, { force: true }, { force: false, keep: true }],
  'reboot.requested': [{}, { line: 'true' }],
  'process.exited': [{ role: 'main' }, { role: 'helper' }],
  'dial.failed': [{ how: 'refused' }, { how: 'protocol' }],
  'channel.refused': [{ limit: false }, { limit: true }],
  'command.abandoned': [{ cause: null }, { cause: cause('auth-refused') }],
  'signal.delivered': [
    { signal: 'TERM', survivors: null },
    { signal: 'KILL', survivors: 0 },
  ],
  'signal.failed': [{ signal: 'TERM' }, { signal: 'KILL' }],
  'boot.identified': [{ identity: 'boot-1' }, { identity: 'boot-2' }],
};

/** The deadlines that each machine arms, and the first of another. */
const DEADLINES: Readonly<Record<MachineKind, readonly Deadline[]>> = {
  run: [],
  testbed: ['settle', 'hang-up', 'teardown', 'boot'],
  backend: ['provision', 'boot', 'endpoint', 'restart', 'reset', 'cancel', 'shutdown', 'destroy', 'keep', 'kill'],
  connection: ['ssh-ready', 'redial', 'connect', 'banner', 'exchange', 'auth', 'hang-up', 'kill'],
  command: ['channel', 'command', 'terminate', 'kill', 'drain', 'close', 'boot'],
  reboot: ['reboot-identify', 'reboot-down', 'reboot-up', 'redial', 'kill'],
};

/** Of a testbed's own connections; `other` was never one of them. */
const CONNECTIONS = ['tb1.c1', 'tb1.c2', 'other'];
/** What a testbed is asked to run: two commands that can share a connection, and one that cannot. */
const COMMANDS = [{ command: 'x1' }, { command: 'x2' }, { command: 'x3', login: 'user' }];

/** Whose ids are told apart by whom, and which there are. */
function idsFor(kind: MachineKind, type: EventType, context: MachineContext): readonly object[] {
  if (kind === 'reboot') return [{ connection: context.connection as string }, { connection: 'other' }];
  if (kind !== 'testbed') return [{}];
  if (type === 'command.requested') return COMMANDS;
  if (type === 'channel.refused' || type === 'command.concluded') return COMMANDS.map(({ command }) => ({ command }));
  if (type.startsWith('connection.') || type === 'hangup.requested')
    return CONNECTIONS.map((connection) => ({ connection }));
  return [{}];
}

function variantsFor(kind: MachineKind, type: EventType): readonly object[] {
  if (type === 'deadline.expired') return DEADLINES[kind].map((deadline) => ({ deadline }));
  return VARIANTS[type] ?? [{}];
}

/** Events of every type that a machine knows, with everything they can say that it may tell apart. */
export function sampleEvents(kind: MachineKind, context: MachineContext): TrundleEvent[] {
  return MACHINES[kind].alphabet.flatMap((type: EventType) =>
    variantsFor(kind, type).flatMap((variant) =>
      idsFor(kind, type, context).map((ids) => fact(type, { ...variant, ...ids } as Partial<EventData<EventType>>)),
    ),
  );
}

const COMMON = { testbed: 'tb1', deadlines: {} };

/** What each machine is born with, in every way that makes a difference. */
export const SAMPLE_INPUTS: Readonly<Record<MachineKind, readonly object[]>> = {
  run: [{}],
  testbed: [{ ...COMMON, maxConnections: 2 }],
  backend: [COMMON],
  connection: [{ ...COMMON, connection: 'c1', login: 'root' }],
  command: [null, 1000].flatMap((timeout) =>
    [false, true].map((sweep) => ({ ...COMMON, command: 'x1', line: 'true', timeout, sweep })),
  ),
  reboot: (['guest', 'backend'] as const).map((how) => ({ ...COMMON, login: 'root', generation: 0, how })),
};
