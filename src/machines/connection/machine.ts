import { each } from '../each.ts';
import { type ConnectionEvent, connectionSetup } from './setup.ts';

/** Events that in `state` would mean that the driver broke its contract: recorded, and the connection given up. */
function breach<T extends ConnectionEvent['type']>(state: string, ...types: T[]) {
  const transition = {
    target: '#connection.confused',
    actions: [{ type: 'recordUnexpected' as const, params: { state } }, 'noteConfusion' as const],
  } as const;
  return each(types, transition);
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
export const connectionMachine = () =>
  connectionSetup.createMachine({
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
          ...breach(
            'idle',
            'socket.connected',
            'banner.received',
            'banner.rejected',
            'hostkey.verified',
            'hostkey.mismatched',
          ),
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
          ...breach(
            'dialing',
            'connection.requested',
            'banner.received',
            'banner.rejected',
            'hostkey.verified',
            'hostkey.mismatched',
          ),
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
          ...breach(
            'exchanging',
            'auth.accepted',
            'auth.refused',
            'keepalive.missed',
            'connection.lost',
            'connection.closed',
          ),
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
          ...breach(
            'waiting',
            'auth.refused',
            'dial.failed',
            'keepalive.missed',
            'connection.lost',
            'connection.closed',
          ),
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
