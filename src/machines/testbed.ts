import { assign, emit, enqueueActions, setup } from 'xstate';
import type { Cause, DeadlineTable, TrundleEvent } from '../events/index.ts';
import { arm, causeOf, disarm, type Output, type Subject, unexpected } from './output.ts';
import * as pools from './pool.ts';

/** Event types that reach a testbed machine. */
export const TESTBED_ALPHABET = [
  'testbed.requested',
  'provision.completed',
  'backend.readied',
  'backend.failed',
  'backend.removed',
  'connection.requested',
  'connection.established',
  'connection.failed',
  'connection.retired',
  'channel.refused',
  'command.requested',
  'command.concluded',
  'reboot.requested',
  'reboot.proven',
  'reboot.failed',
  'revert.requested',
  'teardown.requested',
  'deadline.expired',
] as const;

type Event = TrundleEvent<(typeof TESTBED_ALPHABET)[number]>;

export interface Context extends Subject {
  login: string;
  pool: pools.Pool;
  cause: Cause | null;
  leftovers: readonly string[];
  generation: number;
}

/** What a testbed machine is born with. */
export interface TestbedInput {
  testbed: string;
  deadlines: DeadlineTable;
  maxConnections: number;
}

const machineSetup = setup({
  types: {
    context: {} as Context,
    events: {} as Event,
    emitted: {} as Output,
    input: {} as TestbedInput,
  },
  actions: {
    requestStartup: emit(({ context }) => ({ type: 'startup.requested' as const, testbed: context.testbed, from: 'machine' as const })),
    requestReset: emit(({ context }) => ({ type: 'reset.requested' as const, testbed: context.testbed, from: 'machine' as const })),
    requestRemoval: emit(({ context }, params: { force: boolean }) => ({
      type: 'removal.requested' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      force: params.force,
    })),
    noteLogin: assign({
      login: ({ context, event }) => (event.type === 'backend.readied' ? event.endpoint.login : context.login),
    }),
    connect: enqueueActions(({ context, enqueue }) => {
      const id = `${context.testbed}.c${context.pool.made + 1}`;
      enqueue.assign({ pool: pools.addConnection(context.pool, id, context.login) });
      enqueue.emit({ type: 'connection.requested', testbed: context.testbed, from: 'machine', connection: id, login: context.login });
    }),
    noteConnection: assign({
      pool: ({ context, event }) =>
        event.type === 'connection.requested' ? pools.addConnection(context.pool, event.connection, event.login) : context.pool,
    }),
    noteEstablished: assign({
      pool: ({ context, event }) =>
        event.type === 'connection.established' ? pools.establish(context.pool, event.connection) : context.pool,
    }),
    dropConnection: assign({
      pool: ({ context, event }) =>
        event.type === 'connection.failed' || event.type === 'connection.retired'
          ? pools.dropConnection(context.pool, event.connection)
          : context.pool,
    }),
    enqueueCommand: assign({
      pool: ({ context, event }) =>
        event.type === 'command.requested'
          ? pools.enqueue(context.pool, event.command, event.login === '' ? context.login : event.login)
          : context.pool,
    }),
    releaseCommand: assign({
      pool: ({ context, event }) =>
        event.type === 'command.concluded' ? pools.release(context.pool, event.command) : context.pool,
    }),
    lowerLimit: assign({
      pool: ({ context, event }) =>
        event.type === 'channel.refused' ? pools.refuse(context.pool, event.command, event.connection) : context.pool,
    }),
    /** One more connection could not be had: the pool makes do with what it has. */
    stopGrowing: assign({
      pool: ({ context }) => ({ ...context.pool, max: Math.max(1, context.pool.connections.length) }),
    }),
    schedule: enqueueActions(({ context, enqueue }) => {
      const { pool, assigned, requested, evicted } = pools.schedule(context.pool, `${context.testbed}.c`);
      enqueue.assign({ pool });
      const common = { testbed: context.testbed, from: 'machine' as const };
      for (const each of assigned) enqueue.emit({ type: 'command.assigned', ...common, ...each });
      for (const each of requested) enqueue.emit({ type: 'connection.requested', ...common, ...each });
      for (const connection of evicted) enqueue.emit({ type: 'hangup.requested', ...common, connection });
    }),
    /** The login of a failed connection can never be had: what waits for it will not run. */
    abandonLogin: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'connection.failed') return;
      const gone = context.pool.connections.find((connection) => connection.id === event.connection);
      if (gone === undefined) return;
      for (const waiting of context.pool.queue.filter((entry) => entry.login === gone.login)) {
        enqueue.emit(abandoned(context, waiting.command, `no connection as ${gone.login}`, event.cause));
      }
    }),
    abandonRequested: emit(({ context, event }) =>
      abandoned(
        context,
        event.type === 'command.requested' ? event.command : '',
        context.cause === null ? 'the testbed is being torn down' : 'the testbed has failed',
        context.cause,
      ),
    ),
    abandonQueued: enqueueActions(({ context, enqueue }) => {
      for (const waiting of context.pool.queue) {
        enqueue.emit(abandoned(context, waiting.command, 'the testbed has failed', context.cause));
      }
    }),
    abandonAll: enqueueActions(({ context, enqueue }) => {
      for (const command of pools.commandsOf(context.pool)) {
        enqueue.emit(abandoned(context, command, 'the testbed is being torn down or put back', null));
      }
    }),
    hangUpAll: enqueueActions(({ context, enqueue }) => {
      for (const { id } of context.pool.connections) {
        enqueue.emit({ type: 'hangup.requested', testbed: context.testbed, from: 'machine', connection: id });
      }
    }),
    armSettle: emit(({ context }) => arm(context, 'settle')),
    disarmSettle: emit(({ context }) => disarm(context, 'settle')),
    armHangUp: emit(({ context }) => arm(context, 'hang-up')),
    disarmHangUp: emit(({ context }) => disarm(context, 'hang-up')),
    armTeardown: emit(({ context }) => arm(context, 'teardown')),
    disarmTeardown: emit(({ context }) => disarm(context, 'teardown')),
    noteCause: assign({
      cause: ({ context, event }) => {
        if (!('cause' in event) || event.cause === null) return context.cause;
        return betterCause(context.cause, event.cause);
      },
    }),
    noteNoSessions: assign({
      cause: ({ context, event }) =>
        context.cause ??
        causeOf('channel-refused', 'exec', 'opening a session', [event.seq], 'the server grants no session at all (MaxSessions 0?)'),
    }),
    noteOverdueTeardown: assign({
      cause: ({ context, event }) =>
        context.cause ?? causeOf('teardown-failed', 'teardown', 'waiting for the backend to remove the testbed', [event.seq]),
    }),
    noteLeftovers: assign({
      leftovers: ({ context, event }) => (event.type === 'backend.removed' ? event.leftovers : context.leftovers),
    }),
    nextGeneration: assign({ generation: ({ context }) => context.generation + 1 }),
    recordUnexpected: emit(({ context, event }, params: { state: string }) => unexpected(context, params.state, event)),
    noteConfusion: assign({
      cause: ({ context, event }) =>
        context.cause ?? causeOf('internal-error', 'exec', 'following the testbed', [event.seq], `${event.type} was not expected`),
    }),
    announceReadied: emit(({ context }) => ({
      type: 'testbed.readied' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      generation: context.generation,
    })),
    announceFailed: emit(({ context }) => ({
      type: 'testbed.failed' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      cause: context.cause ?? causeOf('internal-error', 'exec', 'following the testbed', []),
    })),
    announceRemoved: emit(({ context }) => ({
      type: 'testbed.removed' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      leftovers: [...context.leftovers],
      cause: context.cause,
    })),
  },
  guards: {
    busy: ({ context }) => pools.load(context.pool) > 0,
    quiet: ({ context }) => pools.load(context.pool) === 0,
    hungUp: ({ context }) => context.pool.connections.length === 0,
    forced: ({ event }) => event.type === 'teardown.requested' && event.force,
    ours: ({ context, event }) =>
      event.type === 'connection.failed' && context.pool.connections.some((connection) => connection.id === event.connection),
    /** It stood, so the testbed or the way to it broke. */
    stood: ({ context, event }) =>
      event.type === 'connection.failed' &&
      context.pool.connections.some((connection) => connection.id === event.connection && connection.established),
    /** Others of the same login stand: this one was to be one more. */
    hasSiblings: ({ context, event }) => {
      if (event.type !== 'connection.failed') return false;
      const failed = context.pool.connections.find((connection) => connection.id === event.connection);
      return context.pool.connections.some((other) => other !== failed && other.established && other.login === failed?.login);
    },
    noRoom: ({ event }) => event.type === 'channel.refused' && event.limit,
    noSessionAtAll: ({ context, event }) =>
      event.type === 'channel.refused' &&
      event.limit &&
      context.pool.connections.some((connection) => connection.id === event.connection && connection.active.length <= 1),
    settle: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'settle',
    hangUp: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'hang-up',
    teardown: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'teardown',
  },
});

function abandoned(context: Context, command: string, reason: string, cause: Cause | null) {
  return { type: 'command.abandoned' as const, testbed: context.testbed, from: 'machine' as const, command, reason, cause };
}

/**
 * The first cause stands, with one exception: a connection that broke because its testbed died is explained by
 * the death, which is often seen a moment later. Pure.
 */
function betterCause(first: Cause | null, later: Cause): Cause {
  if (first === null) return later;
  const explains = later.class === 'testbed-died' && first.class.startsWith('connection-');
  return explains ? { ...later, phase: first.phase, evidence: [...first.evidence, ...later.evidence] } : first;
}

/** Events that in `state` would mean that the order of things is lost: recorded, and the testbed given up. */
function breach<T extends Event['type']>(state: string, ...types: T[]) {
  const transition = {
    target: '#testbed.failed',
    actions: [{ type: 'recordUnexpected' as const, params: { state } }, 'noteConfusion' as const],
  } as const;
  return Object.fromEntries(types.map((type) => [type, transition])) as Record<T, typeof transition>;
}

/** The same where the testbed is on its way out already: recorded, and that is all. */
function shrug<T extends Event['type']>(state: string, ...types: T[]) {
  const transition = { actions: { type: 'recordUnexpected' as const, params: { state } } } as const;
  return Object.fromEntries(types.map((type) => [type, transition])) as Record<T, typeof transition>;
}

const failing = { target: '#testbed.failed', actions: 'noteCause' } as const;
const queueing = { actions: 'enqueueCommand' } as const;
const releasing = { actions: 'releaseCommand' } as const;
const dropping = { actions: 'dropConnection' } as const;
const teardown = [
  { guard: 'forced', target: '#testbed.tearing-down.removing-at-once' },
  { target: '#testbed.tearing-down' },
] as const;

/**
 * The consumer's side of a testbed, from the wish for one until it is gone. It owns the pool of connections and
 * decides which command goes where, when the testbed counts as failed, and in which order it is taken down.
 */
export const testbedMachine = machineSetup.createMachine({
  id: 'testbed',
  context: ({ input }) => ({
    testbed: input.testbed,
    subject: `testbed:${input.testbed}`,
    deadlines: input.deadlines,
    login: '',
    pool: pools.emptyPool(input.maxConnections),
    cause: null,
    leftovers: [],
    generation: 0,
  }),
  initial: 'absent',
  states: {
    absent: {
      on: {
        'testbed.requested': { target: 'provisioning', actions: 'requestStartup' },
        'teardown.requested': 'gone',
        'command.requested': { actions: 'abandonRequested' },
        ...shrug('absent', 'provision.completed', 'backend.readied', 'backend.failed', 'backend.removed', 'connection.requested'),
        ...shrug('absent', 'connection.established', 'connection.failed', 'connection.retired', 'channel.refused'),
        ...shrug('absent', 'reboot.requested', 'reboot.proven', 'reboot.failed', 'revert.requested'),
      },
    },
    provisioning: {
      on: {
        'provision.completed': 'booting',
        'backend.failed': failing,
        'command.requested': queueing,
        'command.concluded': releasing,
        'teardown.requested': teardown,
        ...breach('provisioning', 'testbed.requested', 'backend.readied', 'backend.removed', 'connection.requested'),
        ...breach('provisioning', 'connection.established', 'connection.failed', 'connection.retired', 'channel.refused'),
        ...breach('provisioning', 'reboot.requested', 'reboot.proven', 'reboot.failed', 'revert.requested'),
      },
    },
    booting: {
      on: {
        'backend.readied': { target: 'connecting', actions: 'noteLogin' },
        'backend.failed': failing,
        'command.requested': queueing,
        'command.concluded': releasing,
        'teardown.requested': teardown,
        ...breach('booting', 'testbed.requested', 'provision.completed', 'backend.removed', 'connection.requested'),
        ...breach('booting', 'connection.established', 'connection.failed', 'connection.retired', 'channel.refused'),
        ...breach('booting', 'reboot.requested', 'reboot.proven', 'reboot.failed', 'revert.requested'),
      },
    },
    connecting: {
      entry: 'connect',
      on: {
        'connection.established': { target: 'ready', actions: ['noteEstablished', 'schedule'] },
        'connection.failed': { target: 'failed', actions: ['noteCause', 'dropConnection'] },
        'connection.retired': { target: 'failed', actions: ['dropConnection', 'noteConfusion'] },
        'backend.failed': failing,
        'command.requested': queueing,
        'command.concluded': releasing,
        'teardown.requested': teardown,
        ...breach('connecting', 'testbed.requested', 'provision.completed', 'backend.readied', 'backend.removed'),
        ...breach('connecting', 'channel.refused', 'reboot.requested', 'reboot.proven', 'reboot.failed', 'revert.requested'),
      },
    },
    ready: {
      entry: 'announceReadied',
      initial: 'idle',
      on: {
        'command.requested': { actions: ['enqueueCommand', 'schedule'] },
        'command.concluded': { actions: ['releaseCommand', 'schedule'] },
        'channel.refused': [
          { guard: 'noSessionAtAll', target: 'failed', actions: ['noteNoSessions', 'lowerLimit'] },
          { guard: 'noRoom', actions: ['lowerLimit', 'schedule'] },
        ],
        'connection.requested': { actions: 'noteConnection' },
        'connection.established': { actions: ['noteEstablished', 'schedule'] },
        'connection.retired': { actions: ['dropConnection', 'schedule'] },
        'connection.failed': [
          { guard: 'stood', target: 'failed', actions: ['noteCause', 'dropConnection'] },
          { guard: 'hasSiblings', actions: ['dropConnection', 'stopGrowing', 'schedule'] },
          { guard: 'ours', actions: ['abandonLogin', 'dropConnection', 'schedule'] },
        ],
        'backend.failed': failing,
        'reboot.requested': 'rebooting',
        'revert.requested': 'reverting',
        'teardown.requested': teardown,
        ...breach('ready', 'testbed.requested', 'provision.completed', 'backend.readied', 'backend.removed'),
        ...breach('ready', 'reboot.proven', 'reboot.failed'),
      },
      states: {
        idle: { always: { guard: 'busy', target: 'executing' } },
        executing: { always: { guard: 'quiet', target: 'idle' } },
      },
    },
    // The reboot machine is in charge, on connections of its own: those that stand end because they are meant to.
    rebooting: {
      entry: 'hangUpAll',
      on: {
        'connection.requested': { actions: 'noteConnection' },
        'connection.established': { actions: 'noteEstablished' },
        'connection.failed': dropping,
        'connection.retired': dropping,
        'command.requested': queueing,
        'command.concluded': releasing,
        'channel.refused': { guard: 'noRoom', actions: 'lowerLimit' },
        'backend.readied': { actions: 'noteLogin' },
        'backend.failed': failing,
        'reboot.proven': { target: 'ready', actions: ['nextGeneration', 'schedule'] },
        'reboot.failed': failing,
        'teardown.requested': teardown,
        ...breach('rebooting', 'testbed.requested', 'provision.completed', 'backend.removed'),
        ...breach('rebooting', 'reboot.requested', 'revert.requested'),
      },
    },
    reverting: {
      initial: 'hanging-up',
      on: {
        'backend.failed': failing,
        'command.requested': queueing,
        'command.concluded': releasing,
        'teardown.requested': teardown,
        ...breach('reverting', 'testbed.requested', 'provision.completed', 'backend.removed', 'reboot.requested'),
        ...breach('reverting', 'reboot.proven', 'reboot.failed', 'revert.requested'),
      },
      states: {
        'hanging-up': {
          entry: ['abandonAll', 'hangUpAll', 'armHangUp'],
          exit: 'disarmHangUp',
          always: { guard: 'hungUp', target: 'resetting' },
          on: {
            'connection.requested': { actions: 'noteConnection' },
            'connection.established': { actions: 'noteEstablished' },
            'connection.failed': dropping,
            'connection.retired': dropping,
            'deadline.expired': { guard: 'hangUp', target: 'resetting' },
            ...breach('reverting.hanging-up', 'backend.readied'),
          },
        },
        resetting: {
          entry: 'requestReset',
          on: {
            'backend.readied': { target: 'reconnecting', actions: ['noteLogin', 'nextGeneration'] },
            'connection.failed': dropping,
            'connection.retired': dropping,
            ...breach('reverting.resetting', 'connection.established', 'connection.requested'),
          },
        },
        reconnecting: {
          entry: 'connect',
          on: {
            'connection.established': { target: '#testbed.ready', actions: ['noteEstablished', 'schedule'] },
            'connection.failed': { target: '#testbed.failed', actions: ['noteCause', 'dropConnection'] },
            'connection.retired': dropping,
            ...breach('reverting.reconnecting', 'backend.readied'),
          },
        },
      },
    },
    failed: {
      entry: ['announceFailed', 'abandonQueued', 'hangUpAll'],
      on: {
        'teardown.requested': teardown,
        'backend.failed': { actions: 'noteCause' },
        'connection.failed': dropping,
        'connection.retired': dropping,
        'connection.requested': { actions: 'noteConnection' },
        'connection.established': { actions: ['noteEstablished', 'hangUpAll'] },
        'command.requested': { actions: 'abandonRequested' },
        'command.concluded': releasing,
        ...shrug('failed', 'testbed.requested', 'provision.completed', 'backend.readied', 'backend.removed'),
        ...shrug('failed', 'reboot.requested', 'revert.requested'),
      },
    },
    'tearing-down': {
      initial: 'settling',
      on: {
        'command.requested': { actions: 'abandonRequested' },
        'command.concluded': releasing,
        'connection.failed': dropping,
        'connection.retired': dropping,
        'connection.requested': { actions: 'noteConnection' },
        'connection.established': { actions: ['noteEstablished', 'hangUpAll'] },
        'backend.failed': { actions: 'noteCause' },
        'backend.removed': { target: 'gone', actions: ['noteLeftovers', 'noteCause'] },
        ...shrug('tearing-down', 'testbed.requested', 'provision.completed', 'backend.readied'),
        ...shrug('tearing-down', 'reboot.requested', 'revert.requested'),
      },
      states: {
        settling: {
          entry: ['abandonAll', 'armSettle'],
          exit: 'disarmSettle',
          always: { guard: 'quiet', target: 'hanging-up' },
          on: {
            'deadline.expired': { guard: 'settle', target: 'hanging-up' },
            'teardown.requested': { guard: 'forced', target: 'removing-at-once' },
          },
        },
        'hanging-up': {
          entry: ['hangUpAll', 'armHangUp'],
          exit: 'disarmHangUp',
          always: { guard: 'hungUp', target: 'removing' },
          on: {
            'deadline.expired': { guard: 'hangUp', target: 'removing' },
            'teardown.requested': { guard: 'forced', target: 'removing-at-once' },
          },
        },
        removing: {
          entry: [{ type: 'requestRemoval', params: { force: false } }, 'armTeardown'],
          exit: 'disarmTeardown',
          on: {
            'deadline.expired': { guard: 'teardown', target: '#testbed.gone', actions: 'noteOverdueTeardown' },
            'teardown.requested': { guard: 'forced', target: 'removing-at-once' },
          },
        },
        'removing-at-once': {
          entry: ['hangUpAll', { type: 'requestRemoval', params: { force: true } }, 'armTeardown'],
          exit: 'disarmTeardown',
          on: {
            'deadline.expired': { guard: 'teardown', target: '#testbed.gone', actions: 'noteOverdueTeardown' },
          },
        },
      },
    },
    gone: { type: 'final', entry: 'announceRemoved' },
  },
});
