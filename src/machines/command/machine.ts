import { each } from '../each.ts';
import { type CommandEvent, commandSetup } from './setup.ts';

/** Events that in `state` would mean that the driver broke its contract: recorded, and the channel given up. */
function breach<T extends CommandEvent['type']>(state: string, ...types: T[]) {
  const transition = {
    target: '#command.giving-up',
    actions: [{ type: 'recordUnexpected' as const, params: { state } }, 'noteConfusion' as const],
  } as const;
  return each(types, transition);
}

/** The same before there is a channel to give up. */
function early<T extends CommandEvent['type']>(state: string, ...types: T[]) {
  const transition = {
    target: '#command.concluded',
    actions: [{ type: 'recordUnexpected' as const, params: { state } }, 'noteConfusion' as const],
  } as const;
  return each(types, transition);
}

/** There is no output any more; only the report of SIGKILL is waited for. */
function awaitSurvivors(state: string) {
  return {
    on: {
      'signal.delivered': { guard: 'killed', target: '#command.concluded', actions: 'noteSurvivors' },
      'signal.failed': { guard: 'killFailed', target: '#command.concluded', actions: 'noteUnseen' },
      'command.lost': { target: '#command.concluded', actions: 'noteUnseen' },
      'deadline.expired': { guard: 'kill', target: '#command.concluded', actions: 'noteUnseen' },
      ...breach(state, 'command.requested', 'command.assigned', 'channel.opened', 'channel.refused', 'command.started'),
      ...breach(state, 'command.output', 'command.exited', 'command.signalled', 'command.closed'),
    },
  } as const;
}

const lost = { target: '#command.concluded', actions: 'noteLoss' } as const;
const cancel = { target: '#command.terminating', actions: 'noteCancelled' } as const;
const abandon = { target: '#command.killing', actions: 'noteCancelled' } as const;

/**
 * One command on one channel. What it printed flows past this machine; what it decides is when the command has
 * ended, how, and who ends it if it does not: SIGTERM to its process group, then SIGKILL, then the channel.
 */
export const commandMachine = () =>
  commandSetup.createMachine({
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
          ...early(
            'idle',
            'command.assigned',
            'command.abandoned',
            'cancel.requested',
            'channel.opened',
            'channel.refused',
          ),
          ...early('idle', 'command.started', 'command.output', 'command.exited', 'command.signalled', 'command.lost'),
          ...early('idle', 'command.closed', 'signal.delivered', 'signal.failed'),
        },
      },
      queued: {
        on: {
          'command.assigned': { target: 'launching', actions: 'noteConnection' },
          'command.abandoned': { target: 'concluded', actions: 'noteAbandoned' },
          'cancel.requested': { target: 'concluded', actions: 'noteCancelled' },
          ...early(
            'queued',
            'command.requested',
            'channel.opened',
            'channel.refused',
            'command.started',
            'command.output',
          ),
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
          ...breach(
            'launching',
            'command.requested',
            'command.assigned',
            'command.output',
            'signal.delivered',
            'signal.failed',
          ),
        },
        states: {
          opening: {
            on: {
              'channel.opened': 'starting',
              'channel.refused': [
                { guard: 'noRoom', target: '#command.queued' },
                { target: '#command.concluded', actions: 'noteRefused' },
              ],
              ...breach(
                'launching.opening',
                'command.started',
                'command.exited',
                'command.signalled',
                'command.closed',
              ),
            },
          },
          starting: {
            on: {
              'cancel.requested': { target: '#command.withdrawing.starting', actions: 'noteCancelled' },
              'command.abandoned': abandon,
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
        initial: 'opening',
        on: {
          'command.started': 'terminating',
          'channel.refused': 'concluded',
          'command.exited': 'draining',
          'command.signalled': 'draining',
          'command.closed': 'concluded',
          'command.lost': lost,
          ...breach(
            'withdrawing',
            'command.requested',
            'command.assigned',
            'command.output',
            'signal.delivered',
            'signal.failed',
          ),
        },
        states: {
          opening: {
            entry: 'armChannel',
            exit: 'disarmChannel',
            on: {
              'channel.opened': 'starting',
              'deadline.expired': { guard: 'channel', target: '#command.giving-up', actions: 'noteLeak' },
            },
          },
          // Its login shell runs, and may never come to the command: then it is as one that does not heed SIGTERM.
          starting: {
            entry: 'armTerminate',
            exit: 'disarmTerminate',
            on: {
              'deadline.expired': { guard: 'terminate', target: '#command.killing' },
              'command.abandoned': '#command.killing',
              ...breach('withdrawing.starting', 'channel.opened'),
            },
          },
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
          ...breach(
            'terminating',
            'command.requested',
            'command.assigned',
            'channel.opened',
            'channel.refused',
            'command.started',
          ),
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
          'signal.failed': { guard: 'killFailed', target: 'giving-up', actions: 'noteLeak' },
          // Killed before its pid was known: by that it is killed with all that it has started.
          'command.started': { target: 'killing', reenter: true },
          ...breach('killing', 'command.requested', 'command.assigned', 'channel.opened', 'channel.refused'),
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
            { guard: 'drainAndSweep', target: 'clearing' },
            { guard: 'drain', target: 'giving-up', actions: 'noteLeak' },
          ],
          'cancel.requested': { target: 'clearing', actions: 'noteCancelled' },
          'command.abandoned': { target: 'clearing', actions: 'noteCancelled' },
          ...breach(
            'draining',
            'command.requested',
            'command.assigned',
            'channel.opened',
            'channel.refused',
            'command.started',
          ),
          ...breach('draining', 'command.exited', 'command.signalled'),
        },
      },
      clearing: {
        entry: ['kill', 'armKill'],
        exit: 'disarmKill',
        on: {
          'command.closed': 'cleared',
          'command.lost': lost,
          'signal.delivered': { guard: 'killed', target: 'emptying', actions: 'noteSurvivors' },
          'signal.failed': { guard: 'killFailed', target: 'giving-up', actions: 'noteLeak' },
          'deadline.expired': { guard: 'kill', target: 'giving-up', actions: 'noteLeak' },
          ...breach(
            'clearing',
            'command.requested',
            'command.assigned',
            'channel.opened',
            'channel.refused',
            'command.started',
          ),
          ...breach('clearing', 'command.exited', 'command.signalled'),
        },
      },
      // What could be killed is gone. If the output is open all the same, one that left the group holds it.
      emptying: {
        entry: 'armDrain',
        exit: 'disarmDrain',
        on: {
          'command.closed': 'concluded',
          'command.lost': lost,
          'deadline.expired': { guard: 'drain', target: 'giving-up', actions: 'noteLeak' },
          ...breach('emptying', 'command.requested', 'command.assigned', 'channel.opened', 'channel.refused'),
          ...breach('emptying', 'command.started', 'command.exited', 'command.signalled'),
        },
      },
      sweeping: {
        entry: ['kill', 'armKill'],
        exit: 'disarmKill',
        ...awaitSurvivors('sweeping'),
      },
      // Closed in the moment in which SIGKILL was on its way: that will tell whether somebody was there.
      cleared: {
        entry: 'armKill',
        exit: 'disarmKill',
        ...awaitSurvivors('cleared'),
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
