import { assign, emit, setup } from 'xstate';
import { type Cause, classOfLoss, type CommandResult, type DeadlineTable, type TrundleEvent } from '../events/index.ts';
import { arm, causeOf, disarm, type Output, type Subject, unexpected } from './output.ts';

/** Event types that reach a command machine. */
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

type Event = TrundleEvent<(typeof COMMAND_ALPHABET)[number]>;

export interface Context extends Subject {
  command: string;
  line: string;
  /** Milliseconds it may run; null for no limit. */
  timeout: number | null;
  sweep: boolean;
  connection: string;
  result: CommandResult | null;
  leaked: boolean;
  cause: Cause | null;
}

/** What a command machine is born with. */
export interface CommandInput {
  testbed: string;
  command: string;
  line: string;
  timeout: number | null;
  sweep: boolean;
  deadlines: DeadlineTable;
}

const machineSetup = setup({
  types: {
    context: {} as Context,
    events: {} as Event,
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
    closeChannel: emit(({ context }) => ({ type: 'close-channel' as const, testbed: context.testbed, command: context.command })),
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
    armDrain: emit(({ context }) => arm(context, 'drain')),
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
        context.result ?? { kind: 'lost' as const, how: event.type === 'command.lost' ? event.how : ('closed' as const) },
      cause: ({ context, event }) =>
        context.result === null && event.type === 'command.lost'
          ? causeOf(classOfLoss(event.how), 'exec', `running ${context.line}`, [event.seq], event.message)
          : context.cause,
    }),
    noteVanished: assign({
      result: ({ context }) => context.result ?? { kind: 'lost' as const, how: 'closed' as const },
      cause: ({ context, event }) =>
        context.result === null
          ? causeOf('connection-closed', 'exec', `running ${context.line}`, [event.seq], 'the channel closed without an exit status')
          : context.cause,
    }),
    noteRefused: assign({
      result: ({ context, event }) =>
        event.type === 'channel.refused' ? { kind: 'refused' as const, message: event.message } : context.result,
      cause: ({ context, event }) =>
        event.type === 'channel.refused'
          ? causeOf('channel-refused', 'exec', `starting ${context.line}`, [event.seq], event.message)
          : context.cause,
    }),
    noteNoChannel: assign({
      result: { kind: 'lost', how: 'silent' },
      cause: ({ context, event }) =>
        causeOf('connection-silent', 'exec', `starting ${context.line}`, [event.seq], 'the server did not answer the request for a channel'),
    }),
    noteSurvivors: assign({
      leaked: ({ context, event }) =>
        context.leaked || (event.type === 'signal.delivered' && event.survivors !== null && event.survivors > 0),
    }),
    noteLeak: assign({ leaked: true }),
    noteConfusion: assign({
      result: ({ context }) => context.result ?? { kind: 'lost' as const, how: 'local' as const },
      cause: ({ context, event }) =>
        context.cause ?? causeOf('internal-error', 'exec', `following ${context.line}`, [event.seq], `${event.type} was not expected`),
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
    killed: ({ event }) => event.type === 'signal.delivered' && event.signal === 'KILL',
    drainAndSweep: ({ context, event }) => event.type === 'deadline.expired' && event.deadline === 'drain' && context.sweep,
    drain: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'drain',
    close: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'close',
  },
});

/** Events that in `state` would mean that the driver broke its contract: recorded, and the channel given up. */
function breach<T extends Event['type']>(state: string, ...types: T[]) {
  const transition = {
    target: '#command.giving-up',
    actions: [{ type: 'recordUnexpected' as const, params: { state } }, 'noteConfusion' as const],
  } as const;
  return Object.fromEntries(types.map((type) => [type, transition])) as Record<T, typeof transition>;
}

/** The same before there is a channel to give up. */
function early<T extends Event['type']>(state: string, ...types: T[]) {
  const transition = {
    target: '#command.concluded',
    actions: [{ type: 'recordUnexpected' as const, params: { state } }, 'noteConfusion' as const],
  } as const;
  return Object.fromEntries(types.map((type) => [type, transition])) as Record<T, typeof transition>;
}

const lost = { target: '#command.concluded', actions: 'noteLoss' } as const;
const cancel = { target: '#command.terminating', actions: 'noteCancelled' } as const;
const abandon = { target: '#command.killing', actions: 'noteCancelled' } as const;

/**
 * One command on one channel. What it printed flows past this machine; what it decides is when the command has
 * ended, how, and who ends it if it does not: SIGTERM to its process group, then SIGKILL, then the channel.
 */
export const commandMachine = machineSetup.createMachine({
  id: 'command',
  context: ({ input }) => ({
    ...input,
    subject: `command:${input.command}`,
    connection: '',
    result: null,
    leaked: false,
    cause: null,
  }),
  initial: 'idle',
  states: {
    idle: {
      on: {
        'command.requested': 'queued',
        ...early('idle', 'command.assigned', 'command.abandoned', 'cancel.requested', 'channel.opened', 'channel.refused'),
        ...early('idle', 'command.started', 'command.output', 'command.exited', 'command.signalled', 'command.lost'),
        ...early('idle', 'command.closed', 'signal.delivered', 'signal.failed'),
      },
    },
    queued: {
      on: {
        'command.assigned': { target: 'launching', actions: 'noteConnection' },
        'command.abandoned': { target: 'concluded', actions: 'noteAbandoned' },
        'cancel.requested': { target: 'concluded', actions: 'noteCancelled' },
        ...early('queued', 'command.requested', 'channel.opened', 'channel.refused', 'command.started', 'command.output'),
        ...early('queued', 'command.exited', 'command.signalled', 'command.lost', 'command.closed'),
        ...early('queued', 'signal.delivered', 'signal.failed'),
      },
    },
    launching: {
      entry: ['openChannel', 'armChannel'],
      exit: 'disarmChannel',
      initial: 'opening',
      on: {
        'command.lost': lost,
        'deadline.expired': { guard: 'channel', target: 'giving-up', actions: 'noteNoChannel' },
        'cancel.requested': { target: 'withdrawing', actions: 'noteCancelled' },
        'command.abandoned': { target: 'withdrawing', actions: 'noteCancelled' },
        ...breach('launching', 'command.requested', 'command.assigned', 'command.output', 'signal.delivered', 'signal.failed'),
      },
      states: {
        opening: {
          on: {
            'channel.opened': 'starting',
            'channel.refused': [
              { guard: 'noRoom', target: '#command.queued' },
              { target: '#command.concluded', actions: 'noteRefused' },
            ],
            ...breach('launching.opening', 'command.started', 'command.exited', 'command.signalled', 'command.closed'),
          },
        },
        starting: {
          on: {
            'command.started': [
              { guard: 'limited', target: '#command.running', actions: 'armRun' },
              { target: '#command.running' },
            ],
            'channel.refused': { target: '#command.giving-up', actions: 'noteRefused' },
            'command.exited': { target: '#command.draining', actions: 'noteEnd' },
            'command.signalled': { target: '#command.draining', actions: 'noteEnd' },
            'command.closed': { target: '#command.concluded', actions: 'noteVanished' },
            ...breach('launching.starting', 'channel.opened'),
          },
        },
      },
    },
    // Nobody wants it any more, but the server may be about to start it: only then can it be ended.
    withdrawing: {
      entry: 'armChannel',
      exit: 'disarmChannel',
      on: {
        'command.started': 'terminating',
        'channel.refused': 'concluded',
        'command.exited': 'draining',
        'command.signalled': 'draining',
        'command.closed': 'concluded',
        'command.lost': lost,
        'deadline.expired': { guard: 'channel', target: 'giving-up', actions: 'noteLeak' },
        ...breach('withdrawing', 'command.requested', 'command.assigned', 'command.output', 'signal.delivered', 'signal.failed'),
      },
    },
    running: {
      exit: 'disarmRun',
      on: {
        'command.exited': { target: 'draining', actions: 'noteEnd' },
        'command.signalled': { target: 'draining', actions: 'noteEnd' },
        'command.closed': { target: 'concluded', actions: 'noteVanished' },
        'command.lost': lost,
        'deadline.expired': { guard: 'run', target: 'terminating', actions: 'noteTimeout' },
        'cancel.requested': cancel,
        'command.abandoned': abandon,
        ...breach('running', 'command.requested', 'command.assigned', 'channel.opened', 'channel.refused'),
        ...breach('running', 'command.started', 'signal.delivered', 'signal.failed'),
      },
    },
    terminating: {
      entry: ['terminate', 'armTerminate'],
      exit: 'disarmTerminate',
      on: {
        'command.exited': { target: 'draining', actions: 'noteEnd' },
        'command.signalled': { target: 'draining', actions: 'noteEnd' },
        'command.closed': { target: 'concluded', actions: 'noteVanished' },
        'command.lost': lost,
        'deadline.expired': { guard: 'terminate', target: 'killing' },
        'signal.failed': 'killing',
        'command.abandoned': abandon,
        ...breach('terminating', 'command.requested', 'command.assigned', 'channel.opened', 'channel.refused', 'command.started'),
      },
    },
    killing: {
      entry: ['kill', 'armKill'],
      exit: 'disarmKill',
      on: {
        'command.exited': { target: 'draining', actions: 'noteEnd' },
        'command.signalled': { target: 'draining', actions: 'noteEnd' },
        'command.closed': { target: 'concluded', actions: 'noteVanished' },
        'command.lost': lost,
        'deadline.expired': { guard: 'kill', target: 'giving-up', actions: 'noteLeak' },
        'signal.failed': { target: 'giving-up', actions: 'noteLeak' },
        ...breach('killing', 'command.requested', 'command.assigned', 'channel.opened', 'channel.refused', 'command.started'),
      },
    },
    draining: {
      entry: 'armDrain',
      exit: 'disarmDrain',
      on: {
        'command.closed': [{ guard: 'sweeps', target: 'sweeping' }, { target: 'concluded' }],
        'command.lost': lost,
        // Somebody it left behind still holds its output open.
        'deadline.expired': [
          { guard: 'drainAndSweep', target: 'clearing', actions: 'noteLeak' },
          { guard: 'drain', target: 'giving-up', actions: 'noteLeak' },
        ],
        'cancel.requested': { target: 'clearing', actions: 'noteCancelled' },
        'command.abandoned': { target: 'clearing', actions: 'noteCancelled' },
        ...breach('draining', 'command.requested', 'command.assigned', 'channel.opened', 'channel.refused', 'command.started'),
        ...breach('draining', 'command.exited', 'command.signalled'),
      },
    },
    clearing: {
      entry: ['kill', 'armKill'],
      exit: 'disarmKill',
      on: {
        'command.closed': 'concluded',
        'command.lost': lost,
        'signal.delivered': { actions: 'noteSurvivors' },
        'signal.failed': { target: 'giving-up', actions: 'noteLeak' },
        'deadline.expired': { guard: 'kill', target: 'giving-up', actions: 'noteLeak' },
        ...breach('clearing', 'command.requested', 'command.assigned', 'channel.opened', 'channel.refused', 'command.started'),
        ...breach('clearing', 'command.exited', 'command.signalled'),
      },
    },
    sweeping: {
      entry: ['kill', 'armKill'],
      exit: 'disarmKill',
      on: {
        'signal.delivered': { guard: 'killed', target: 'concluded', actions: 'noteSurvivors' },
        'signal.failed': { target: 'concluded', actions: 'noteLeak' },
        'command.lost': { target: 'concluded', actions: 'noteLeak' },
        'deadline.expired': { guard: 'kill', target: 'concluded', actions: 'noteLeak' },
        ...breach('sweeping', 'command.requested', 'command.assigned', 'channel.opened', 'channel.refused', 'command.started'),
        ...breach('sweeping', 'command.output', 'command.exited', 'command.signalled', 'command.closed'),
      },
    },
    'giving-up': {
      entry: ['closeChannel', 'armClose'],
      exit: 'disarmClose',
      on: {
        'command.closed': 'concluded',
        'command.lost': lost,
        'deadline.expired': { guard: 'close', target: 'concluded' },
      },
    },
    concluded: { type: 'final', entry: 'announceConcluded' },
  },
});
