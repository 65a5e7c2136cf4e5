import { assign, emit, setup } from 'xstate';
import { type Cause, classOfLoss, type DeadlineTable, type TrundleEvent } from '../../events/index.ts';
import { arm, causeOf, disarm, limitOf, type Output, type Subject, unexpected } from '../output.ts';

/** ConnectionEvent types that reach a connection machine. */
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

export type ConnectionEvent = TrundleEvent<(typeof CONNECTION_ALPHABET)[number]>;

export interface ConnectionContext extends Subject {
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

export const connectionSetup = setup({
  types: {
    context: {} as ConnectionContext,
    events: {} as ConnectionEvent,
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
    hangUp: emit(({ context }) => ({
      type: 'hang-up' as const,
      testbed: context.testbed,
      connection: context.connection,
    })),
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
          ? causeOf(
              classOfLoss(event.how),
              'ssh-ready',
              DOING[event.stage],
              [event.seq],
              attempts(context, event.failure.message),
            )
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
        return {
          ...context.cause,
          detail: `${context.cause.detail ?? ''}; ${waited}`,
          evidence: [...context.cause.evidence, event.seq],
        };
      },
    }),
    noteRejectedBanner: assign({
      cause: ({ context, event }) =>
        event.type === 'banner.rejected'
          ? causeOf(
              'not-an-ssh-server',
              'ssh-ready',
              DOING.banner,
              [event.seq],
              `the peer said ${JSON.stringify(event.sample)}`,
            )
          : context.cause,
    }),
    noteHostKey: assign({
      cause: ({ context, event }) =>
        event.type === 'hostkey.mismatched'
          ? causeOf(
              'host-key-mismatch',
              'ssh-ready',
              'verifying the host key',
              [event.seq],
              `the server showed ${event.seen}, expected ${event.expected.join(' or ')}`,
            )
          : context.cause,
    }),
    noteRefusedLogin: assign({
      cause: ({ context, event }) =>
        event.type === 'auth.refused'
          ? causeOf(
              'auth-refused',
              'ssh-ready',
              `logging in as ${event.login}`,
              [event.seq],
              `tried ${event.tried.join(', ') || 'nothing'}: ${event.message}`,
            )
          : context.cause,
    }),
    noteLoss: assign({
      cause: ({ context, event }) =>
        event.type === 'connection.lost'
          ? causeOf(
              classOfLoss(event.how),
              'exec',
              'keeping the connection',
              [...context.missed, event.seq],
              event.failure.message,
            )
          : context.cause,
    }),
    noteConfusion: assign({
      cause: ({ event }) =>
        causeOf(
          'internal-error',
          'ssh-ready',
          'following the SSH connection',
          [event.seq],
          `${event.type} was not expected`,
        ),
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

function attempts(context: ConnectionContext, message: string): string {
  return context.attempt > 1 ? `${message} (attempt ${context.attempt})` : message;
}
