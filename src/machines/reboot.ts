import { assign, emit, setup } from 'xstate';
import type { Cause, DeadlineTable, TrundleEvent } from '../events/index.ts';
import { arm, causeOf, disarm, type Output, type Subject, unexpected } from './output.ts';

/** Event types that reach a reboot machine. */
export const REBOOT_ALPHABET = [
  'reboot.requested',
  'reboot.asked',
  'boot.identified',
  'boot.unidentified',
  'connection.established',
  'connection.failed',
  'connection.retired',
  'backend.readied',
  'backend.failed',
  'teardown.requested',
  'deadline.expired',
] as const;

type Event = TrundleEvent<(typeof REBOOT_ALPHABET)[number]>;

export interface Context extends Subject {
  login: string;
  how: 'guest' | 'backend';
  generation: number;
  /** How many connections it has asked for. */
  dials: number;
  connection: string;
  before: string;
  after: string;
  cause: Cause | null;
}

/** What a reboot machine is born with. */
export interface RebootInput {
  testbed: string;
  login: string;
  generation: number;
  how: 'guest' | 'backend';
  deadlines: DeadlineTable;
}

const machineSetup = setup({
  types: {
    context: {} as Context,
    events: {} as Event,
    emitted: {} as Output,
    input: {} as RebootInput,
  },
  actions: {
    nextConnection: assign({
      dials: ({ context }) => context.dials + 1,
      connection: ({ context }) => `${context.testbed}.g${context.generation}r${context.dials + 1}`,
    }),
    requestConnection: emit(({ context }) => ({
      type: 'connection.requested' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      connection: context.connection,
      login: context.login,
    })),
    requestHangUp: emit(({ context }) => ({
      type: 'hangup.requested' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      connection: context.connection,
    })),
    requestRestart: emit(({ context }) => ({
      type: 'restart.requested' as const,
      testbed: context.testbed,
      from: 'machine' as const,
    })),
    askGuest: emit(({ context }) => ({ type: 'ask-reboot' as const, testbed: context.testbed, connection: context.connection })),
    identify: emit(({ context }) => ({ type: 'identify-boot' as const, testbed: context.testbed, connection: context.connection })),
    armIdentify: emit(({ context }) => arm(context, 'reboot-identify')),
    disarmIdentify: emit(({ context }) => disarm(context, 'reboot-identify')),
    armDown: emit(({ context }) => arm(context, 'reboot-down')),
    disarmDown: emit(({ context }) => disarm(context, 'reboot-down')),
    armUp: emit(({ context }) => arm(context, 'reboot-up')),
    disarmUp: emit(({ context }) => disarm(context, 'reboot-up')),
    armRedial: emit(({ context }) => arm(context, 'redial')),
    disarmRedial: emit(({ context }) => disarm(context, 'redial')),
    noteBefore: assign({ before: ({ context, event }) => (event.type === 'boot.identified' ? event.identity : context.before) }),
    noteAfter: assign({ after: ({ context, event }) => (event.type === 'boot.identified' ? event.identity : context.after) }),
    noteFailure: assign({
      cause: ({ context, event }, params: { doing: string }) => {
        const detail =
          event.type === 'deadline.expired'
            ? `not within ${event.after} ms`
            : event.type === 'boot.unidentified'
              ? event.failure.message
              : event.type === 'connection.failed'
                ? event.cause.detail
                : event.type;
        return context.cause ?? causeOf('reboot-failed', 'reboot', params.doing, [event.seq], detail);
      },
    }),
    recordUnexpected: emit(({ context, event }, params: { state: string }) => unexpected(context, params.state, event)),
    announceProven: emit(({ context }) => ({
      type: 'reboot.proven' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      before: context.before,
      after: context.after,
    })),
    announceFailed: emit(({ context }) => ({
      type: 'reboot.failed' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      cause: context.cause ?? causeOf('reboot-failed', 'reboot', 'rebooting the testbed', [], 'the testbed was given up meanwhile'),
    })),
  },
  guards: {
    mine: ({ context, event }) => 'connection' in event && event.connection === context.connection,
    byBackend: ({ context }) => context.how === 'backend',
    sameBoot: ({ context, event }) =>
      event.type === 'boot.identified' && event.connection === context.connection && event.identity === context.before,
    identify: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'reboot-identify',
    down: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'reboot-down',
    up: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'reboot-up',
    redial: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'redial',
  },
});

/** Events that in `state` would mean that the order of things is lost: recorded, and the reboot counts as failed. */
function breach<T extends Event['type']>(state: string, ...types: T[]) {
  const transition = {
    target: '#reboot.failed',
    actions: [
      { type: 'recordUnexpected' as const, params: { state } },
      { type: 'noteFailure' as const, params: { doing: 'following the reboot' } },
    ],
  } as const;
  return Object.fromEntries(types.map((type) => [type, transition])) as Record<T, typeof transition>;
}

function failing(doing: string) {
  return { target: '#reboot.failed', actions: { type: 'noteFailure' as const, params: { doing } } } as const;
}

const abandoned = {
  'backend.failed': '#reboot.failed',
  'teardown.requested': '#reboot.failed',
} as const;

/**
 * One reboot: learns which boot is running, has the testbed reboot, and comes back when another boot answers.
 * An answer of the old boot, still on its way down, is hung up on.
 */
export const rebootMachine = machineSetup.createMachine({
  id: 'reboot',
  context: ({ input }) => ({
    ...input,
    subject: `reboot:${input.testbed}`,
    dials: 0,
    connection: '',
    before: '',
    after: '',
    cause: null,
  }),
  initial: 'idle',
  states: {
    idle: {
      on: {
        'reboot.requested': 'connecting',
        ...abandoned,
        ...breach('idle', 'reboot.asked', 'boot.identified', 'boot.unidentified', 'connection.established'),
        ...breach('idle', 'connection.failed', 'backend.readied'),
      },
    },
    connecting: {
      entry: ['nextConnection', 'requestConnection'],
      on: {
        'connection.established': { guard: 'mine', target: 'identifying' },
        'connection.failed': { guard: 'mine', ...failing('connecting to learn which boot is running') },
        ...abandoned,
        ...breach('connecting', 'reboot.requested', 'reboot.asked', 'boot.identified', 'boot.unidentified', 'backend.readied'),
      },
    },
    identifying: {
      entry: ['identify', 'armIdentify'],
      exit: 'disarmIdentify',
      on: {
        'boot.identified': [
          { guard: 'byBackend', target: 'restarting', actions: 'noteBefore' },
          { target: 'asking', actions: 'noteBefore' },
        ],
        'boot.unidentified': failing('learning which boot is running'),
        'connection.failed': { guard: 'mine', ...failing('learning which boot is running') },
        'deadline.expired': { guard: 'identify', ...failing('learning which boot is running') },
        ...abandoned,
        ...breach('identifying', 'reboot.requested', 'reboot.asked', 'backend.readied'),
      },
    },
    asking: {
      entry: ['askGuest', 'armDown'],
      exit: 'disarmDown',
      on: {
        'connection.failed': { guard: 'mine', target: 'pausing', actions: 'armUp' },
        'connection.retired': { guard: 'mine', target: 'pausing', actions: 'armUp' },
        'deadline.expired': { guard: 'down', ...failing('waiting for the testbed to go down') },
        ...abandoned,
        ...breach('asking', 'reboot.requested', 'boot.identified', 'boot.unidentified', 'backend.readied'),
      },
    },
    restarting: {
      entry: ['requestHangUp', 'requestRestart'],
      on: {
        'backend.readied': { target: 'rising', actions: 'armUp' },
        ...abandoned,
        ...breach('restarting', 'reboot.requested', 'reboot.asked', 'boot.identified', 'boot.unidentified'),
      },
    },
    rising: {
      entry: ['nextConnection', 'requestConnection'],
      on: {
        'connection.established': { guard: 'mine', target: 'proving' },
        'connection.failed': { guard: 'mine', target: 'pausing' },
        'deadline.expired': { guard: 'up', ...failing('waiting for the testbed to come up') },
        ...abandoned,
        ...breach('rising', 'reboot.requested', 'boot.identified', 'boot.unidentified', 'backend.readied'),
      },
    },
    proving: {
      entry: ['identify', 'armIdentify'],
      exit: 'disarmIdentify',
      on: {
        'boot.identified': [
          { guard: 'sameBoot', target: 'pausing', actions: 'requestHangUp' },
          { target: 'proven', actions: 'noteAfter' },
        ],
        'boot.unidentified': { target: 'pausing', actions: 'requestHangUp' },
        'connection.failed': { guard: 'mine', target: 'pausing' },
        'deadline.expired': [
          { guard: 'up', ...failing('proving that another boot is running') },
          { guard: 'identify', target: 'pausing', actions: 'requestHangUp' },
        ],
        ...abandoned,
        ...breach('proving', 'reboot.requested', 'backend.readied'),
      },
    },
    pausing: {
      entry: 'armRedial',
      exit: 'disarmRedial',
      on: {
        'deadline.expired': [
          { guard: 'up', ...failing('waiting for another boot to answer') },
          { guard: 'redial', target: 'rising' },
        ],
        ...abandoned,
        ...breach('pausing', 'reboot.requested', 'backend.readied'),
      },
    },
    proven: { type: 'final', entry: ['disarmUp', 'announceProven'] },
    failed: { type: 'final', entry: ['disarmUp', 'announceFailed'] },
  },
});
