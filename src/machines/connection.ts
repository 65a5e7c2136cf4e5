import { assign, emit, setup } from 'xstate';
import { type Cause, classOfLoss, type DeadlineTable, type TrundleEvent } from '../events/index.ts';
import { arm, causeOf, disarm, limitOf, type Output, type Subject, unexpected } from './output.ts';

/** Event types that reach a connection machine. */
export const CONNECTION_ALPHABET = [
  'connection.requested',
  'hangup.requested',
  'socket.connected',
  'banner.received',
  'banner.rejected',
  'hostkey.verified',
  'hostkey.mismatched',
  'handshake.completed',
  'auth.accepted',
  'auth.refused',
  'dial.failed',
  'keepalive.missed',
  'connection.lost',
  'connection.closed',
  'deadline.expired',
] as const;

type Event = TrundleEvent<(typeof CONNECTION_ALPHABET)[number]>;

export interface Context extends Subject {
  connection: string;
  login: string;
  attempt: number;
  /** Why the attempt in hand, or the last one, came to nothing. */
  cause: Cause | null;
  /** Missed keepalives since the last good sign, by seq. */
  missed: number[];
}

/** What a connection machine is born with. */
export interface ConnectionInput {
  testbed: string;
  connection: string;
  login: string;
  deadlines: DeadlineTable;
}

const DOING = {
  connect: 'connecting to the SSH server',
  banner: "waiting for the SSH server's greeting",
  exchange: 'exchanging keys with the SSH server',
  auth: 'logging in',
} as const;

type Stage = keyof typeof DOING;

const machineSetup = setup({
  types: {
    context: {} as Context,
    events: {} as Event,
    emitted: {} as Output,
    input: {} as ConnectionInput,
  },
  actions: {
    countAttempt: assign({ attempt: ({ context }) => context.attempt + 1 }),
    dial: emit(({ context }) => ({
      type: 'dial' as const,
      testbed: context.testbed,
      connection: context.connection,
      login: context.login,
      attempt: context.attempt,
    })),
    hangUp: emit(({ context }) => ({ type: 'hang-up' as const, testbed: context.testbed, connection: context.connection })),
    armOverall: emit(({ context }) => arm(context, 'ssh-ready')),
    disarmOverall: emit(({ context }) => disarm(context, 'ssh-ready')),
    armConnect: emit(({ context }) => arm(context, 'connect')),
    disarmConnect: emit(({ context }) => disarm(context, 'connect')),
    armBanner: emit(({ context }) => arm(context, 'banner')),
    disarmBanner: emit(({ context }) => disarm(context, 'banner')),
    armExchange: emit(({ context }) => arm(context, 'exchange')),
    disarmExchange: emit(({ context }) => disarm(context, 'exchange')),
    armAuth: emit(({ context }) => arm(context, 'auth')),
    disarmAuth: emit(({ context }) => disarm(context, 'auth')),
    armRedial: emit(({ context }) => arm(context, 'redial')),
    disarmRedial: emit(({ context }) => disarm(context, 'redial')),
    armHangUp: emit(({ context }) => arm(context, 'hang-up')),
    disarmHangUp: emit(({ context }) => disarm(context, 'hang-up')),
    noteDialFailure: assign({
      cause: ({ context, event }) =>
        event.type === 'dial.failed'
          ? causeOf(classOfLoss(event.how), 'ssh-ready', DOING[event.stage], [event.seq], attempts(context, event.failure.message))
          : context.cause,
    }),
    noteSilence: assign({
      cause: ({ context, event }, params: { stage: Stage }) =>
        causeOf(
          params.stage === 'connect' ? 'connection-unreachable' : 'connection-silent',
          'ssh-ready',
          DOING[params.stage],
          [event.seq],
          attempts(context, event.type === 'deadline.expired' ? `no answer within ${event.after} ms` : ''),
        ),
    }),
    noteOverallDeadline: assign({
      cause: ({ context, event }) => {
        const limit = limitOf(context.deadlines, 'ssh-ready');
        const waited = `gave up after ${limit} ms and ${context.attempt} attempts`;
        if (context.cause === null) return causeOf('deadline-expired', 'ssh-ready', DOING.connect, [event.seq], waited);
        return { ...context.cause, detail: `${context.cause.detail ?? ''}; ${waited}`, evidence: [...context.cause.evidence, event.seq] };
      },
    }),
    noteRejectedBanner: assign({
      cause: ({ context, event }) =>
        event.type === 'banner.rejected'
          ? causeOf('not-an-ssh-server', 'ssh-ready', DOING.banner, [event.seq], `the peer said ${JSON.stringify(event.sample)}`)
          : context.cause,
    }),
    noteHostKey: assign({
      cause: ({ context, event }) =>
        event.type === 'hostkey.mismatched'
          ? causeOf('host-key-mismatch', 'ssh-ready', 'verifying the host key', [event.seq], `the server showed ${event.seen}, expected ${event.expected.join(' or ')}`)
          : context.cause,
    }),
    noteRefusedLogin: assign({
      cause: ({ context, event }) =>
        event.type === 'auth.refused'
          ? causeOf('auth-refused', 'ssh-ready', `logging in as ${event.login}`, [event.seq], `tried ${event.tried.join(', ') || 'nothing'}: ${event.message}`)
          : context.cause,
    }),
    noteLoss: assign({
      cause: ({ context, event }) =>
        event.type === 'connection.lost'
          ? causeOf(classOfLoss(event.how), 'exec', 'keeping the connection', [...context.missed, event.seq], event.failure.message)
          : context.cause,
    }),
    noteConfusion: assign({
      cause: ({ event }) => causeOf('internal-error', 'ssh-ready', 'following the SSH connection', [event.seq], `${event.type} was not expected`),
    }),
    noteMissed: assign({ missed: ({ context, event }) => [...context.missed, event.seq].slice(-10) }),
    recordUnexpected: emit(({ context, event }, params: { state: string }) => unexpected(context, params.state, event)),
    announceEstablished: emit(({ context }) => ({
      type: 'connection.established' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      connection: context.connection,
      login: context.login,
    })),
    announceFailed: emit(({ context }) => ({
      type: 'connection.failed' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      connection: context.connection,
      cause: context.cause ?? causeOf('internal-error', 'ssh-ready', DOING.connect, []),
    })),
    announceRetired: emit(({ context }) => ({
      type: 'connection.retired' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      connection: context.connection,
    })),
  },
  guards: {
    /** A server that is still starting refuses, drops or ignores us; it may do better in a moment. */
    mayDoBetter: ({ event }) =>
      event.type === 'dial.failed' && event.stage !== 'auth' && event.how !== 'protocol' && event.how !== 'local',
    overall: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'ssh-ready',
    connect: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'connect',
    banner: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'banner',
    exchange: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'exchange',
    auth: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'auth',
    redial: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'redial',
    hangUp: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'hang-up',
  },
});

function attempts(context: Context, message: string): string {
  return context.attempt > 1 ? `${message} (attempt ${context.attempt})` : message;
}

/** Events that in `state` would mean that the driver broke its contract: recorded, and the connection given up. */
function breach<T extends Event['type']>(state: string, ...types: T[]) {
  const transition = {
    target: '#connection.confused',
    actions: [{ type: 'recordUnexpected' as const, params: { state } }, 'noteConfusion' as const],
  } as const;
  return Object.fromEntries(types.map((type) => [type, transition])) as Record<T, typeof transition>;
}

const leave = { target: '#connection.closing' } as const;
const retry = [
  { guard: 'mayDoBetter', target: '#connection.waiting', actions: 'noteDialFailure' },
  { target: '#connection.failed', actions: 'noteDialFailure' },
] as const;
const giveUp = { guard: 'overall', target: '#connection.abandoning', actions: 'noteOverallDeadline' } as const;

/**
 * One SSH connection, from the first dial to its end. It dials again while the server may still be starting,
 * until the deadline `ssh-ready`; a wrong host key, a refused login or a peer that speaks no SSH end it at once.
 */
export const connectionMachine = machineSetup.createMachine({
  id: 'connection',
  context: ({ input }) => ({
    ...input,
    subject: `connection:${input.connection}`,
    attempt: 0,
    cause: null,
    missed: [],
  }),
  initial: 'idle',
  states: {
    idle: {
      on: {
        'connection.requested': { target: 'dialing', actions: 'armOverall' },
        ...breach('idle', 'socket.connected', 'banner.received', 'banner.rejected', 'hostkey.verified', 'hostkey.mismatched'),
        ...breach('idle', 'handshake.completed', 'auth.accepted', 'auth.refused', 'dial.failed', 'keepalive.missed'),
        ...breach('idle', 'connection.lost', 'connection.closed'),
        'hangup.requested': 'closed',
      },
    },
    dialing: {
      entry: ['countAttempt', 'dial', 'armConnect'],
      exit: 'disarmConnect',
      on: {
        'socket.connected': 'greeting',
        'dial.failed': retry,
        'deadline.expired': [
          giveUp,
          { guard: 'connect', target: 'retiring', actions: { type: 'noteSilence', params: { stage: 'connect' } } },
        ],
        'hangup.requested': leave,
        ...breach('dialing', 'connection.requested', 'banner.received', 'banner.rejected', 'hostkey.verified', 'hostkey.mismatched'),
        ...breach('dialing', 'handshake.completed', 'auth.accepted', 'auth.refused', 'keepalive.missed'),
        ...breach('dialing', 'connection.lost', 'connection.closed'),
      },
    },
    greeting: {
      entry: 'armBanner',
      exit: 'disarmBanner',
      on: {
        'banner.received': 'exchanging',
        'banner.rejected': { target: 'failed', actions: 'noteRejectedBanner' },
        'dial.failed': retry,
        'deadline.expired': [
          giveUp,
          { guard: 'banner', target: 'retiring', actions: { type: 'noteSilence', params: { stage: 'banner' } } },
        ],
        'hangup.requested': leave,
        ...breach('greeting', 'connection.requested', 'socket.connected', 'hostkey.verified', 'hostkey.mismatched'),
        ...breach('greeting', 'handshake.completed', 'auth.accepted', 'auth.refused', 'keepalive.missed'),
        ...breach('greeting', 'connection.lost', 'connection.closed'),
      },
    },
    exchanging: {
      entry: 'armExchange',
      exit: 'disarmExchange',
      on: {
        'hostkey.mismatched': { target: 'failed', actions: 'noteHostKey' },
        'handshake.completed': 'authenticating',
        'dial.failed': retry,
        'deadline.expired': [
          giveUp,
          { guard: 'exchange', target: 'retiring', actions: { type: 'noteSilence', params: { stage: 'exchange' } } },
        ],
        'hangup.requested': leave,
        ...breach('exchanging', 'connection.requested', 'socket.connected', 'banner.received', 'banner.rejected'),
        ...breach('exchanging', 'auth.accepted', 'auth.refused', 'keepalive.missed', 'connection.lost', 'connection.closed'),
      },
    },
    authenticating: {
      entry: 'armAuth',
      exit: 'disarmAuth',
      on: {
        'auth.accepted': { target: 'ready', actions: 'disarmOverall' },
        'auth.refused': { target: 'failed', actions: 'noteRefusedLogin' },
        'dial.failed': retry,
        'deadline.expired': [
          giveUp,
          { guard: 'auth', target: 'retiring', actions: { type: 'noteSilence', params: { stage: 'auth' } } },
        ],
        'hangup.requested': leave,
        ...breach('authenticating', 'connection.requested', 'socket.connected', 'banner.received', 'banner.rejected'),
        ...breach('authenticating', 'hostkey.mismatched', 'handshake.completed', 'keepalive.missed'),
        ...breach('authenticating', 'connection.lost', 'connection.closed'),
      },
    },
    ready: {
      entry: 'announceEstablished',
      on: {
        'keepalive.missed': { actions: 'noteMissed' },
        'connection.lost': { target: 'failed', actions: 'noteLoss' },
        'hangup.requested': leave,
        ...breach('ready', 'connection.requested', 'socket.connected', 'banner.received', 'banner.rejected'),
        ...breach('ready', 'hostkey.mismatched', 'auth.accepted', 'auth.refused', 'dial.failed', 'connection.closed'),
      },
    },
    waiting: {
      entry: 'armRedial',
      exit: 'disarmRedial',
      on: {
        'deadline.expired': [
          { guard: 'overall', target: 'failed', actions: 'noteOverallDeadline' },
          { guard: 'redial', target: 'dialing' },
        ],
        'hangup.requested': 'closed',
        ...breach('waiting', 'connection.requested', 'socket.connected', 'banner.received', 'banner.rejected'),
        ...breach('waiting', 'hostkey.verified', 'hostkey.mismatched', 'handshake.completed', 'auth.accepted'),
        ...breach('waiting', 'auth.refused', 'dial.failed', 'keepalive.missed', 'connection.lost', 'connection.closed'),
      },
    },
    retiring: {
      entry: ['hangUp', 'armHangUp'],
      exit: 'disarmHangUp',
      on: {
        'connection.closed': 'waiting',
        'deadline.expired': [giveUp, { guard: 'hangUp', target: 'waiting' }],
        'hangup.requested': leave,
      },
    },
    abandoning: {
      entry: ['hangUp', 'armHangUp'],
      exit: 'disarmHangUp',
      on: {
        'connection.closed': 'failed',
        'deadline.expired': { guard: 'hangUp', target: 'failed' },
      },
    },
    confused: {
      entry: ['hangUp', 'armHangUp'],
      exit: 'disarmHangUp',
      on: {
        'connection.closed': 'failed',
        'deadline.expired': { guard: 'hangUp', target: 'failed' },
      },
    },
    closing: {
      entry: ['hangUp', 'armHangUp'],
      exit: 'disarmHangUp',
      on: {
        'connection.closed': 'closed',
        'deadline.expired': { guard: 'hangUp', target: 'closed' },
      },
    },
    closed: { type: 'final', entry: ['disarmOverall', 'announceRetired'] },
    failed: { type: 'final', entry: ['disarmOverall', 'announceFailed'] },
  },
});
