import { assign, emit, setup } from 'xstate';
import {
  brief,
  type Cause,
  type CommandResult,
  classOfLoss,
  type DeadlineTable,
  type TrundleEvent,
} from '../../events/index.ts';
import { arm, causeOf, disarm, type Output, type Subject, unexpected } from '../output.ts';

/** CommandEvent types that reach a command machine. */
export const COMMAND_ALPHABET = [
  'command.requested',
  'command.assigned',
  'command.abandoned',
  'cancel.requested',
  'channel.opened',
  'channel.refused',
  'command.started',
  'command.output',
  'command.exited',
  'command.signalled',
  'command.lost',
  'command.closed',
  'signal.delivered',
  'signal.failed',
  'deadline.expired',
] as const;

export type CommandEvent = TrundleEvent<(typeof COMMAND_ALPHABET)[number]>;

export interface CommandContext extends Subject {
  command: string;
  line: string;
  /** Milliseconds it may run; null for no limit. */
  timeout: number | null;
  sweep: boolean;
  /** Milliseconds for its output's end, where nobody has set that deadline; absent for the usual. */
  drain?: number | undefined;
  connection: string;
  result: CommandResult | null;
  /** Null where nobody can tell. */
  leaked: boolean | null;
  cause: Cause | null;
}

/** What a command machine is born with. */
export interface CommandInput {
  testbed: string;
  command: string;
  line: string;
  timeout: number | null;
  sweep: boolean;
  drain?: number | undefined;
  deadlines: DeadlineTable;
}

export const commandSetup = setup({
  types: {
    context: {} as CommandContext,
    events: {} as CommandEvent,
    emitted: {} as Output,
    input: {} as CommandInput,
  },
  actions: {
    noteConnection: assign({
      connection: ({ context, event }) => (event.type === 'command.assigned' ? event.connection : context.connection),
    }),
    openChannel: emit(({ context }) => ({
      type: 'open-channel' as const,
      testbed: context.testbed,
      command: context.command,
      connection: context.connection,
    })),
    closeChannel: emit(({ context }) => ({
      type: 'close-channel' as const,
      testbed: context.testbed,
      command: context.command,
    })),
    terminate: emit(({ context }) => ({
      type: 'signal' as const,
      testbed: context.testbed,
      command: context.command,
      connection: context.connection,
      signal: 'TERM' as const,
    })),
    kill: emit(({ context }) => ({
      type: 'signal' as const,
      testbed: context.testbed,
      command: context.command,
      connection: context.connection,
      signal: 'KILL' as const,
    })),
    armChannel: emit(({ context }) => arm(context, 'channel')),
    disarmChannel: emit(({ context }) => disarm(context, 'channel')),
    armRun: emit(({ context }) => arm(context, 'command', context.timeout ?? 0)),
    disarmRun: emit(({ context }) => disarm(context, 'command')),
    armTerminate: emit(({ context }) => arm(context, 'terminate')),
    disarmTerminate: emit(({ context }) => disarm(context, 'terminate')),
    armKill: emit(({ context }) => arm(context, 'kill')),
    disarmKill: emit(({ context }) => disarm(context, 'kill')),
    armDrain: emit(({ context }) => arm(context, 'drain', context.deadlines.drain ?? context.drain)),
    disarmDrain: emit(({ context }) => disarm(context, 'drain')),
    armClose: emit(({ context }) => arm(context, 'close')),
    disarmClose: emit(({ context }) => disarm(context, 'close')),
    noteEnd: assign({
      result: ({ context, event }) => {
        // A command that we ended keeps the reason why, whatever its last words were.
        if (context.result !== null) return context.result;
        if (event.type === 'command.exited') return { kind: 'exited' as const, status: event.status };
        if (event.type === 'command.signalled') return { kind: 'signalled' as const, signal: event.signal };
        return context.result;
      },
    }),
    noteTimeout: assign({
      result: ({ context, event }) =>
        event.type === 'deadline.expired' ? { kind: 'timed-out' as const, after: event.after } : context.result,
      sweep: true,
    }),
    noteCancelled: assign({ result: ({ context }) => context.result ?? { kind: 'cancelled' as const }, sweep: true }),
    noteAbandoned: assign({
      result: ({ context, event }) =>
        event.type === 'command.abandoned' && event.cause !== null
          ? { kind: 'refused' as const, message: event.reason }
          : (context.result ?? { kind: 'cancelled' as const }),
      cause: ({ context, event }) => (event.type === 'command.abandoned' ? event.cause : context.cause),
    }),
    noteLoss: assign({
      result: ({ context, event }) =>
        context.result ?? {
          kind: 'lost' as const,
          how: event.type === 'command.lost' ? event.how : ('closed' as const),
        },
      cause: ({ context, event }) =>
        context.result === null && event.type === 'command.lost'
          ? causeOf(classOfLoss(event.how), 'exec', `running ${brief(context.line)}`, [event.seq], event.message)
          : context.cause,
    }),
    noteVanished: assign({
      result: ({ context }) => context.result ?? { kind: 'lost' as const, how: 'closed' as const },
      cause: ({ context, event }) =>
        context.result === null
          ? causeOf(
              'connection-closed',
              'exec',
              `running ${brief(context.line)}`,
              [event.seq],
              'the channel closed without an exit status',
            )
          : context.cause,
    }),
    noteRefused: assign({
      result: ({ context, event }) =>
        event.type === 'channel.refused' ? { kind: 'refused' as const, message: event.message } : context.result,
      cause: ({ context, event }) =>
        event.type === 'channel.refused'
          ? causeOf('channel-refused', 'exec', `starting ${brief(context.line)}`, [event.seq], event.message)
          : context.cause,
    }),
    noteNoChannel: assign({
      result: { kind: 'lost', how: 'silent' },
      cause: ({ context, event }) =>
        causeOf(
          'connection-silent',
          'exec',
          `starting ${brief(context.line)}`,
          [event.seq],
          'the server did not answer the request for a channel',
        ),
    }),
    noteSurvivors: assign({
      leaked: ({ context, event }) => {
        if (context.leaked || event.type !== 'signal.delivered') return context.leaked;
        return event.survivors === null ? null : event.survivors > 0;
      },
    }),
    noteLeak: assign({ leaked: true }),
    noteUnseen: assign({ leaked: ({ context }) => context.leaked || null }),
    noteConfusion: assign({
      result: ({ context }) => context.result ?? { kind: 'lost' as const, how: 'local' as const },
      cause: ({ context, event }) =>
        context.cause ??
        causeOf(
          'internal-error',
          'exec',
          `following ${brief(context.line)}`,
          [event.seq],
          `${event.type} was not expected`,
        ),
    }),
    recordUnexpected: emit(({ context, event }, params: { state: string }) => unexpected(context, params.state, event)),
    announceConcluded: emit(({ context }) => ({
      type: 'command.concluded' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      command: context.command,
      result: context.result ?? { kind: 'lost' as const, how: 'local' as const },
      leaked: context.leaked,
      cause: context.cause,
    })),
  },
  guards: {
    limited: ({ context }) => context.timeout !== null,
    sweeps: ({ context }) => context.sweep,
    noRoom: ({ event }) => event.type === 'channel.refused' && event.limit,
    channel: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'channel',
    run: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'command',
    terminate: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'terminate',
    kill: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'kill',
    killFailed: ({ event }) => event.type === 'signal.failed' && event.signal === 'KILL',
    killed: ({ event }) => event.type === 'signal.delivered' && event.signal === 'KILL',
    drainAndSweep: ({ context, event }) =>
      event.type === 'deadline.expired' && event.deadline === 'drain' && context.sweep,
    drain: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'drain',
    close: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'close',
  },
});
