import type { Phase } from '../../events/index.ts';
import { each } from '../each.ts';
import { emptyPool } from './pool.ts';
import { type TestbedEvent, testbedSetup } from './setup.ts';

/** Events that in `state` would mean that the order of things is lost: recorded, and the testbed given up. */
function breach<T extends TestbedEvent['type']>(state: string, ...types: T[]) {
  const transition = {
    target: '#testbed.failed',
    actions: [{ type: 'recordUnexpected' as const, params: { state } }, 'noteConfusion' as const],
  } as const;
  return each(types, transition);
}

/** The same where the testbed is on its way out already: recorded, and that is all. */
function shrug<T extends TestbedEvent['type']>(state: string, ...types: T[]) {
  const transition = { actions: { type: 'recordUnexpected' as const, params: { state } } } as const;
  return each(types, transition);
}

const failing = { target: '#testbed.failed', actions: 'noteCause' } as const;
/** The backend sees the death of a testbed, but not what it was used for just then. */
function dyingIn(phase: Phase) {
  return { target: '#testbed.failed', actions: { type: 'noteDeathIn' as const, params: { phase } } } as const;
}
const queueing = { actions: 'enqueueCommand' } as const;
const releasing = { actions: 'releaseCommand' } as const;
const dropping = { actions: 'dropConnection' } as const;
const noting = { actions: 'noteConnection' } as const;
const refusing = { actions: ['noteConnection', 'hangUpAll'] } as const;
/** What becomes of the connection without which the testbed is not ready; those from before only have to end. */
const awaiting = {
  'connection.requested': noting,
  'connection.established': { guard: 'awaited', target: '#testbed.ready', actions: ['noteEstablished', 'schedule'] },
  'connection.failed': [
    { guard: 'awaited', target: '#testbed.failed', actions: ['noteCause', 'dropConnection'] },
    { actions: 'dropConnection' },
  ],
  'connection.retired': [
    { guard: 'awaited', target: '#testbed.failed', actions: ['noteConfusion', 'dropConnection'] },
    { actions: 'dropConnection' },
  ],
} as const;
const teardown = [
  { guard: 'forced', target: '#testbed.tearing-down.removing-at-once' },
  { target: '#testbed.tearing-down', actions: 'noteKeep' },
] as const;

/**
 * The consumer's side of a testbed, from the wish for one until it is gone. It owns the pool of connections and
 * decides which command goes where, when the testbed counts as failed, and in which order it is taken down.
 */
export const testbedMachine = () =>
  testbedSetup.createMachine({
    id: 'testbed',
    context: ({ input }) => ({
      testbed: input.testbed,
      subject: `testbed:${input.testbed}`,
      deadlines: input.deadlines,
      login: '',
      pool: emptyPool(input.maxConnections),
      awaited: '',
      cause: null,
      leftovers: [],
      keep: false,
      generation: 0,
    }),
    initial: 'absent',
    on: {
      'hangup.requested': { actions: 'noteLeaving' },
    },
    states: {
      absent: {
        on: {
          'testbed.requested': { target: 'provisioning', actions: 'requestStartup' },
          'teardown.requested': 'gone',
          'command.requested': { actions: 'abandonAsked' },
          ...shrug(
            'absent',
            'provision.completed',
            'backend.readied',
            'backend.failed',
            'backend.removed',
            'backend.kept',
            'connection.requested',
          ),
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
          ...breach(
            'provisioning',
            'testbed.requested',
            'backend.readied',
            'backend.removed',
            'backend.kept',
            'connection.requested',
          ),
          ...breach(
            'provisioning',
            'connection.established',
            'connection.failed',
            'connection.retired',
            'channel.refused',
          ),
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
          ...breach(
            'booting',
            'testbed.requested',
            'provision.completed',
            'backend.removed',
            'backend.kept',
            'connection.requested',
          ),
          ...breach('booting', 'connection.established', 'connection.failed', 'connection.retired', 'channel.refused'),
          ...breach('booting', 'reboot.requested', 'reboot.proven', 'reboot.failed', 'revert.requested'),
        },
      },
      connecting: {
        entry: 'connect',
        on: {
          ...awaiting,
          'backend.failed': dyingIn('ssh-ready'),
          'command.requested': queueing,
          'command.concluded': releasing,
          'teardown.requested': teardown,
          ...breach(
            'connecting',
            'testbed.requested',
            'provision.completed',
            'backend.readied',
            'backend.removed',
            'backend.kept',
          ),
          ...breach(
            'connecting',
            'channel.refused',
            'reboot.requested',
            'reboot.proven',
            'reboot.failed',
            'revert.requested',
          ),
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
          'connection.requested': noting,
          'connection.established': { actions: ['noteEstablished', 'schedule'] },
          'connection.retired': { actions: ['dropConnection', 'schedule'] },
          'connection.failed': [
            { guard: 'stood', target: 'failed', actions: ['noteCause', 'dropConnection'] },
            { guard: 'hasSiblings', actions: ['dropConnection', 'stopGrowing', 'schedule'] },
            { guard: 'ours', actions: ['abandonLogin', 'dropConnection', 'schedule'] },
          ],
          'backend.failed': failing,
          'reboot.requested': [
            { guard: 'byItself', target: 'rebooting' },
            { target: 'rebooting', actions: 'hangUpAll' },
          ],
          'revert.requested': 'reverting',
          'teardown.requested': teardown,
          ...breach(
            'ready',
            'testbed.requested',
            'provision.completed',
            'backend.readied',
            'backend.removed',
            'backend.kept',
          ),
          ...breach('ready', 'reboot.proven', 'reboot.failed'),
        },
        states: {
          idle: { always: { guard: 'busy', target: 'executing' } },
          executing: { always: { guard: 'quiet', target: 'idle' } },
        },
      },
      // The reboot machine is in charge, on connections of its own: those that stand end because they are meant to, and
      // those on which something reboots the testbed itself end with the boot.
      rebooting: {
        on: {
          'connection.requested': noting,
          'connection.established': { actions: 'noteEstablished' },
          'connection.failed': dropping,
          'connection.retired': dropping,
          'command.requested': queueing,
          'command.concluded': releasing,
          'channel.refused': { guard: 'noRoom', actions: 'lowerLimit' },
          'backend.readied': { actions: 'noteLogin' },
          'backend.failed': dyingIn('reboot'),
          'reboot.proven': { target: 'ready', actions: ['hangUpOlder', 'nextGeneration', 'schedule'] },
          'reboot.failed': failing,
          'teardown.requested': teardown,
          ...breach('rebooting', 'testbed.requested', 'provision.completed', 'backend.removed', 'backend.kept'),
          ...breach('rebooting', 'reboot.requested', 'revert.requested'),
        },
      },
      reverting: {
        initial: 'hanging-up',
        on: {
          'backend.failed': dyingIn('revert'),
          'command.requested': queueing,
          'command.concluded': releasing,
          'teardown.requested': teardown,
          ...breach(
            'reverting',
            'testbed.requested',
            'provision.completed',
            'backend.removed',
            'backend.kept',
            'reboot.requested',
          ),
          ...breach('reverting', 'reboot.proven', 'reboot.failed', 'revert.requested'),
        },
        states: {
          'hanging-up': {
            entry: ['abandonAll', 'hangUpAll', 'armHangUp'],
            exit: 'disarmHangUp',
            always: { guard: 'hungUp', target: 'resetting' },
            on: {
              'connection.requested': noting,
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
              ...awaiting,
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
          'connection.requested': refusing,
          'connection.established': { actions: ['noteEstablished', 'hangUpAll'] },
          'command.requested': { actions: 'abandonAsked' },
          'command.concluded': releasing,
          // It waits for another place on a connection, and there will be none.
          'channel.refused': { guard: 'noRoom', actions: 'abandonAsked' },
          ...shrug(
            'failed',
            'testbed.requested',
            'provision.completed',
            'backend.readied',
            'backend.removed',
            'backend.kept',
          ),
          ...shrug('failed', 'reboot.requested', 'revert.requested'),
        },
      },
      'tearing-down': {
        initial: 'settling',
        on: {
          'command.requested': { actions: 'abandonAsked' },
          'command.concluded': releasing,
          'connection.failed': dropping,
          'connection.retired': dropping,
          'connection.requested': refusing,
          'connection.established': { actions: ['noteEstablished', 'hangUpAll'] },
          'backend.failed': { actions: 'noteCause' },
          'backend.removed': { target: 'gone', actions: ['noteLeftovers', 'noteCause'] },
          'backend.kept': { target: 'kept' },
          ...shrug('tearing-down', 'testbed.requested', 'backend.readied'),
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
            entry: ['abandonAll', 'hangUpAll', { type: 'requestRemoval', params: { force: true } }, 'armTeardown'],
            exit: 'disarmTeardown',
            on: {
              'deadline.expired': { guard: 'teardown', target: '#testbed.gone', actions: 'noteOverdueTeardown' },
            },
          },
        },
      },
      gone: { type: 'final', entry: 'announceRemoved' },
      kept: { type: 'final', entry: 'announceKept' },
    },
  });
