import { each } from '../each.ts';
import { type RebootEvent, rebootSetup } from './setup.ts';

/** Events that in `state` would mean that the order of things is lost: recorded, and the reboot counts as failed. */
function breach<T extends RebootEvent['type']>(state: string, ...types: T[]) {
  const transition = {
    target: '#reboot.failed',
    actions: [
      { type: 'recordUnexpected' as const, params: { state } },
      { type: 'noteFailure' as const, params: { doing: 'following the reboot' } },
    ],
  } as const;
  return each(types, transition);
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
export const rebootMachine = () =>
  rebootSetup.createMachine({
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
          'connection.retired': { guard: 'mine', ...failing('connecting to learn which boot is running') },
          ...abandoned,
          ...breach(
            'connecting',
            'reboot.requested',
            'reboot.asked',
            'boot.identified',
            'boot.unidentified',
            'backend.readied',
          ),
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
          'connection.retired': { guard: 'mine', ...failing('learning which boot is running') },
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
          'connection.retired': { guard: 'mine', target: 'pausing' },
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
          'connection.retired': { guard: 'mine', target: 'pausing' },
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
