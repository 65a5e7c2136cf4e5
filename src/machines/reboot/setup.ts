import { assign, emit, setup } from 'xstate';
import type { Cause, DeadlineTable, TrundleEvent } from '../../events/index.ts';
import { arm, causeOf, disarm, type Output, type Subject, unexpected } from '../output.ts';

/** RebootEvent types that reach a reboot machine. */
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

export type RebootEvent = TrundleEvent<(typeof REBOOT_ALPHABET)[number]>;

export interface RebootContext extends Subject {
  login: string;
  how: 'guest' | 'backend';
  /** What has the guest reboot; empty for a reboot command. */
  line: string;
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
  line: string;
  deadlines: DeadlineTable;
}

export const rebootSetup = setup({
  types: {
    context: {} as RebootContext,
    events: {} as RebootEvent,
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
      ...lineOf(context),
    })),
    askGuest: emit(({ context }) => ({
      type: 'ask-reboot' as const,
      testbed: context.testbed,
      connection: context.connection,
      ...lineOf(context),
    })),
    identify: emit(({ context }) => ({
      type: 'identify-boot' as const,
      testbed: context.testbed,
      connection: context.connection,
    })),
    armIdentify: emit(({ context }) => arm(context, 'reboot-identify')),
    disarmIdentify: emit(({ context }) => disarm(context, 'reboot-identify')),
    armDown: emit(({ context }) => arm(context, 'reboot-down')),
    disarmDown: emit(({ context }) => disarm(context, 'reboot-down')),
    armUp: emit(({ context }) => arm(context, 'reboot-up')),
    disarmUp: emit(({ context }) => disarm(context, 'reboot-up')),
    armRedial: emit(({ context }) => arm(context, 'redial')),
    disarmRedial: emit(({ context }) => disarm(context, 'redial')),
    noteBefore: assign({
      before: ({ context, event }) => (event.type === 'boot.identified' ? event.identity : context.before),
    }),
    noteAfter: assign({
      after: ({ context, event }) => (event.type === 'boot.identified' ? event.identity : context.after),
    }),
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
      cause:
        context.cause ??
        causeOf('reboot-failed', 'reboot', 'rebooting the testbed', [], 'the testbed was given up meanwhile'),
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

function lineOf({ line }: RebootContext): { line?: string } {
  return line === '' ? {} : { line };
}
