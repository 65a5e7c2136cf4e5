import type { EventType } from '../events/index.ts';
import type { MachineKind } from './machines.ts';

/** Events that a state deliberately does nothing about, and why. */
export interface Ignore {
  machine: MachineKind;
  /** State paths; `*` for every state of the machine. */
  states: readonly string[] | '*';
  events: readonly EventType[];
  reason: string;
}

const STALE = 'a deadline that passed in the very moment it was taken back';
const ENDING = 'the machine is on its way out and only waits for that to end';

/** Every (state, event type) pair that no machine answers. A test fails on a pair missing here and on a stale entry. */
export const IGNORES: readonly Ignore[] = [
  {
    machine: 'connection',
    states: ['idle', 'ready'],
    events: ['deadline.expired'],
    reason: STALE,
  },
  {
    machine: 'connection',
    states: ['exchanging', 'authenticating', 'ready'],
    events: ['hostkey.verified'],
    reason: 'good news that handshake.completed confirms; in ready a renewal of keys shows the key again',
  },
  {
    machine: 'connection',
    states: ['ready'],
    events: ['handshake.completed'],
    reason: 'the two sides renewed their keys (RFC 4253, section 9)',
  },
  {
    machine: 'connection',
    states: ['retiring', 'abandoning', 'confused', 'closing'],
    events: [
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
      'connection.requested',
    ],
    reason: 'crossed our hanging up; connection.closed ends it',
  },
  {
    machine: 'connection',
    states: ['abandoning', 'confused', 'closing'],
    events: ['hangup.requested'],
    reason: 'it is hanging up already',
  },
  { machine: 'command', states: ['idle', 'queued'], events: ['deadline.expired'], reason: STALE },
  {
    machine: 'command',
    states: ['running', 'terminating', 'killing', 'draining', 'clearing', 'emptying', 'giving-up'],
    events: ['command.output'],
    reason: 'the bytes go to their stream; only the end is decided here',
  },
  {
    machine: 'command',
    states: ['terminating', 'killing', 'draining'],
    events: ['signal.delivered'],
    reason: "the command's end, not the signal's way, is what is waited for",
  },
  {
    machine: 'command',
    states: ['draining'],
    events: ['signal.failed'],
    reason: 'the command ended before the signal could reach it',
  },
  {
    machine: 'command',
    states: ['emptying'],
    events: ['signal.delivered', 'signal.failed'],
    reason: 'the report of an earlier SIGTERM, later than that of SIGKILL',
  },
  {
    machine: 'command',
    states: [
      'withdrawing.opening',
      'withdrawing.starting',
      'terminating',
      'killing',
      'clearing',
      'emptying',
      'sweeping',
      'cleared',
    ],
    events: ['cancel.requested'],
    reason: 'it is being ended already',
  },
  {
    machine: 'command',
    states: ['withdrawing.opening', 'killing', 'clearing', 'emptying', 'sweeping', 'cleared'],
    events: ['command.abandoned'],
    reason: 'it is being ended already',
  },
  {
    machine: 'command',
    states: ['giving-up'],
    events: [
      'command.requested',
      'command.assigned',
      'command.abandoned',
      'cancel.requested',
      'channel.opened',
      'channel.refused',
      'command.started',
      'command.exited',
      'command.signalled',
      'signal.delivered',
      'signal.failed',
    ],
    reason: 'crossed our giving the channel up; command.closed ends it',
  },
  {
    machine: 'backend',
    states: ['absent', 'creating'],
    events: ['endpoint.withdrawn', 'process.exited', 'guest.panicked', 'guest.stopped', 'recording.left'],
    reason: 'nothing of the testbed runs yet; if create cannot go on, it fails by itself',
  },
  { machine: 'backend', states: ['absent', 'up'], events: ['deadline.expired'], reason: STALE },
  {
    machine: 'backend',
    states: ['starting', 'locating'],
    events: ['endpoint.withdrawn'],
    reason: 'no endpoint of this boot was announced yet',
  },
  {
    machine: 'backend',
    states: ['restarting', 'resetting'],
    events: ['endpoint.withdrawn', 'process.exited', 'guest.stopped'],
    reason: 'the testbed goes down because it was told to',
  },
  {
    machine: 'backend',
    states: ['keeping'],
    events: ['endpoint.withdrawn', 'process.exited'],
    reason:
      'what our own process did for the testbed ends, because it was told to; what is kept tells of a death itself',
  },
  {
    machine: 'backend',
    states: ['cancelling', 'failed'],
    events: [
      'startup.requested',
      'restart.requested',
      'reset.requested',
      'endpoint.withdrawn',
      'shutdown.completed',
      'shutdown.failed',
      'destruction.completed',
      'destruction.failed',
      'process.exited',
      'guest.panicked',
      'recording.left',
      'guest.stopped',
    ],
    reason: 'its cause is known already; only removal is left',
  },
  {
    machine: 'backend',
    states: ['failed'],
    events: [
      'provision.completed',
      'provision.failed',
      'boot.completed',
      'boot.failed',
      'endpoint.announced',
      'endpoint.failed',
      'restart.completed',
      'restart.failed',
      'reset.completed',
      'reset.failed',
      'keeping.completed',
      'keeping.failed',
      'deadline.expired',
    ],
    reason: 'the late end of a verb that nobody waits for any more',
  },
  {
    machine: 'backend',
    states: ['stopping', 'destroying'],
    events: ['endpoint.withdrawn', 'process.exited', 'guest.panicked', 'recording.left'],
    reason: 'the testbed goes down because it was told to',
  },
  {
    machine: 'backend',
    states: ['destroying'],
    events: ['guest.stopped'],
    reason: 'the testbed goes down because it was told to',
  },
  { machine: 'backend', states: ['destroying'], events: ['removal.requested'], reason: ENDING },

  {
    machine: 'reboot',
    states: ['idle', 'restarting', 'pausing'],
    events: ['connection.retired'],
    reason: 'a connection from before, hung up for the reboot',
  },
  {
    machine: 'reboot',
    states: ['identifying', 'asking', 'restarting', 'proving', 'pausing'],
    events: ['connection.established'],
    reason: 'not the connection this machine waits for',
  },
  {
    machine: 'reboot',
    states: ['idle', 'connecting', 'restarting'],
    events: ['deadline.expired'],
    reason: STALE,
  },
  {
    machine: 'reboot',
    states: ['restarting', 'pausing'],
    events: ['connection.failed'],
    reason: 'connections break while a testbed reboots; the next one is what counts',
  },
  {
    machine: 'reboot',
    states: ['asking', 'rising', 'proving', 'pausing'],
    events: ['reboot.asked'],
    reason: "the guest's reboot command may answer before, after or never; the connection's end tells more",
  },
  {
    machine: 'reboot',
    states: ['pausing'],
    events: ['boot.identified', 'boot.unidentified'],
    reason: 'an answer over a connection that was given up',
  },

  {
    machine: 'testbed',
    states: [
      'absent',
      'provisioning',
      'booting',
      'connecting',
      'ready.idle',
      'ready.executing',
      'rebooting',
      'reverting.resetting',
      'reverting.reconnecting',
      'failed',
    ],
    events: ['deadline.expired'],
    reason: STALE,
  },
  {
    machine: 'testbed',
    states: ['absent'],
    events: ['command.concluded'],
    reason: 'the end of a command that was abandoned here',
  },
  {
    machine: 'testbed',
    states: [
      'reverting.hanging-up',
      'reverting.resetting',
      'reverting.reconnecting',
      'tearing-down.settling',
      'tearing-down.hanging-up',
      'tearing-down.removing',
      'tearing-down.removing-at-once',
    ],
    events: ['channel.refused'],
    reason: 'the command was abandoned already',
  },
  {
    machine: 'testbed',
    states: [
      'failed',
      'tearing-down.settling',
      'tearing-down.hanging-up',
      'tearing-down.removing',
      'tearing-down.removing-at-once',
    ],
    events: ['reboot.proven', 'reboot.failed'],
    reason: 'a reboot that nobody waits for any more',
  },
  {
    machine: 'testbed',
    states: [
      'tearing-down.settling',
      'tearing-down.hanging-up',
      'tearing-down.removing',
      'tearing-down.removing-at-once',
    ],
    events: ['provision.completed'],
    reason: 'create was done before it could be called off; the backend machine goes on from there',
  },
  {
    machine: 'testbed',
    states: ['tearing-down.removing-at-once'],
    events: ['teardown.requested'],
    reason: 'there is nothing faster',
  },
];
