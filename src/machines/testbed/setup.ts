import { assign, emit, enqueueActions, setup } from 'xstate';
import type { Cause, DeadlineTable, Phase, TrundleEvent } from '../../events/index.ts';
import { arm, causeOf, disarm, type Output, type Subject, unexpected } from '../output.ts';
import * as pools from './pool.ts';

/** TestbedEvent types that reach a testbed machine. */
export const TESTBED_ALPHABET = [
  'testbed.requested',
  'provision.completed',
  'backend.readied',
  'backend.failed',
  'backend.removed',
  'backend.kept',
  'connection.requested',
  'connection.established',
  'connection.failed',
  'connection.retired',
  'hangup.requested',
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

export type TestbedEvent = TrundleEvent<(typeof TESTBED_ALPHABET)[number]>;

export interface TestbedContext extends Subject {
  login: string;
  pool: pools.Pool;
  /** The connection without which the testbed does not become ready. */
  awaited: string;
  cause: Cause | null;
  leftovers: readonly string[];
  /** Whether it is to stay after the run. */
  keep: boolean;
  generation: number;
}

/** What a testbed machine is born with. */
export interface TestbedInput {
  testbed: string;
  deadlines: DeadlineTable;
  maxConnections: number;
}

export const testbedSetup = setup({
  types: {
    context: {} as TestbedContext,
    events: {} as TestbedEvent,
    emitted: {} as Output,
    input: {} as TestbedInput,
  },
  actions: {
    requestStartup: emit(({ context }) => ({
      type: 'startup.requested' as const,
      testbed: context.testbed,
      from: 'machine' as const,
    })),
    requestReset: emit(({ context }) => ({
      type: 'reset.requested' as const,
      testbed: context.testbed,
      from: 'machine' as const,
    })),
    requestRemoval: emit(({ context }, params: { force: boolean }) => ({
      type: 'removal.requested' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      force: params.force,
      ...(context.keep && !params.force ? { keep: true } : {}),
    })),
    noteLogin: assign(({ context, event }) => {
      if (event.type !== 'backend.readied') return {};
      const { login } = event.endpoint;
      return { login, pool: pools.nameLogin(context.pool, login) };
    }),
    connect: enqueueActions(({ context, enqueue }) => {
      const id = `${context.testbed}.c${context.pool.made + 1}`;
      enqueue.assign({ awaited: id, pool: pools.addConnection(context.pool, id, context.login) });
      enqueue.emit({
        type: 'connection.requested',
        testbed: context.testbed,
        from: 'machine',
        connection: id,
        login: context.login,
      });
    }),
    noteConnection: assign({
      pool: ({ context, event }) =>
        event.type === 'connection.requested'
          ? pools.addConnection(context.pool, event.connection, event.login)
          : context.pool,
    }),
    noteEstablished: assign({
      pool: ({ context, event }) =>
        event.type === 'connection.established' ? pools.establish(context.pool, event.connection) : context.pool,
    }),
    noteLeaving: assign({
      pool: ({ context, event }) =>
        event.type === 'hangup.requested' ? pools.leave(context.pool, event.connection) : context.pool,
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
        event.type === 'channel.refused' ? pools.refuse(context.pool, event.command) : context.pool,
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
      const failed = context.pool.connections.find((connection) => connection.id === event.connection);
      if (failed === undefined) return;
      const { pool, dismissed } = pools.dismiss(context.pool, failed.login);
      enqueue.assign({ pool });
      for (const { command } of dismissed) {
        enqueue.emit(abandoned(context, command, `no connection as ${failed.login}`, event.cause));
      }
    }),
    abandonAsked: emit(({ context, event }) =>
      abandoned(
        context,
        event.type === 'command.requested' || event.type === 'channel.refused' ? event.command : '',
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
      let { pool } = context;
      for (const { id, leaving } of context.pool.connections) {
        if (leaving) continue;
        pool = pools.leave(pool, id);
        enqueue.emit({ type: 'hangup.requested', testbed: context.testbed, from: 'machine', connection: id });
      }
      enqueue.assign({ pool });
    }),
    /** Those of the boot before, which may not have noticed that it is over. */
    hangUpOlder: enqueueActions(({ context, enqueue }) => {
      let { pool } = context;
      for (const { id, leaving } of context.pool.connections) {
        if (leaving || id.startsWith(`${context.testbed}.g${context.generation}r`)) continue;
        pool = pools.leave(pool, id);
        enqueue.emit({ type: 'hangup.requested', testbed: context.testbed, from: 'machine', connection: id });
      }
      enqueue.assign({ pool });
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
    noteDeathIn: assign({
      cause: ({ context, event }, params: { phase: Phase }) => {
        if (event.type !== 'backend.failed') return context.cause;
        const { cause } = event;
        return betterCause(context.cause, cause.phase === 'exec' ? { ...cause, phase: params.phase } : cause);
      },
    }),
    noteNoSessions: assign({
      cause: ({ context, event }) =>
        context.cause ??
        causeOf(
          'channel-refused',
          'exec',
          'opening a session',
          [event.seq],
          'the server grants no session at all (MaxSessions 0?)',
        ),
    }),
    noteOverdueTeardown: assign({
      cause: ({ context, event }) =>
        context.cause ??
        causeOf('teardown-failed', 'teardown', 'waiting for the backend to remove the testbed', [event.seq]),
    }),
    noteLeftovers: assign({
      leftovers: ({ context, event }) => (event.type === 'backend.removed' ? event.leftovers : context.leftovers),
    }),
    noteKeep: assign({ keep: ({ event }) => event.type === 'teardown.requested' && event.keep === true }),
    nextGeneration: assign({ generation: ({ context }) => context.generation + 1 }),
    recordUnexpected: emit(({ context, event }, params: { state: string }) => unexpected(context, params.state, event)),
    noteConfusion: assign({
      cause: ({ context, event }) =>
        context.cause ??
        causeOf('internal-error', 'exec', 'following the testbed', [event.seq], `${event.type} was not expected`),
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
    announceKept: emit(({ context, event }) => ({
      type: 'testbed.kept' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      enter: event.type === 'backend.kept' ? [...event.enter] : [],
      resources: event.type === 'backend.kept' ? [...event.resources] : [],
    })),
  },
  guards: {
    byItself: ({ event }) => event.type === 'reboot.requested' && event.line !== undefined,
    busy: ({ context }) => pools.load(context.pool) > 0,
    quiet: ({ context }) => pools.load(context.pool) === 0,
    hungUp: ({ context }) => context.pool.connections.length === 0,
    forced: ({ event }) => event.type === 'teardown.requested' && event.force,
    ours: ({ context, event }) =>
      event.type === 'connection.failed' &&
      context.pool.connections.some((connection) => connection.id === event.connection),
    /** It stood, so the testbed or the way to it broke. */
    stood: ({ context, event }) =>
      event.type === 'connection.failed' &&
      context.pool.connections.some((connection) => connection.id === event.connection && connection.established),
    /** Others of the same login stand: this one was to be one more. */
    hasSiblings: ({ context, event }) => {
      if (event.type !== 'connection.failed') return false;
      const failed = context.pool.connections.find((connection) => connection.id === event.connection);
      return context.pool.connections.some(
        (other) => other !== failed && other.established && other.login === failed?.login,
      );
    },
    awaited: ({ context, event }) => 'connection' in event && event.connection === context.awaited,
    noRoom: ({ event }) => event.type === 'channel.refused' && event.limit,
    noSessionAtAll: ({ context, event }) =>
      event.type === 'channel.refused' &&
      event.limit &&
      pools.holderOf(context.pool, event.command)?.active.length === 1,
    settle: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'settle',
    hangUp: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'hang-up',
    teardown: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'teardown',
  },
});

function abandoned(context: TestbedContext, command: string, reason: string, cause: Cause | null) {
  return {
    type: 'command.abandoned' as const,
    testbed: context.testbed,
    from: 'machine' as const,
    command,
    reason,
    cause,
  };
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
