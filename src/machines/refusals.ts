import type { Ignore } from './ignores.ts';

const STALE = 'the deadline of another state, which passed in the very moment it was taken back';
const NO_MORE_FORCE = 'being asked again changes nothing; only force does';
const OTHER_CONNECTION = 'a connection of the testbed machine, not the one that the reboot goes over';

/**
 * Where every transition for an event is guarded: what it means that all guards refuse, and why nothing is done then.
 * `*` stands for every state in which the machine has only guarded transitions for the event. A test fails on a pair
 * missing here and on a stale entry.
 */
export const REFUSALS: readonly Ignore[] = [
  { machine: 'command', states: '*', events: ['deadline.expired'], reason: STALE },
  {
    machine: 'command',
    states: ['sweeping', 'cleared'],
    events: ['signal.delivered'],
    reason: 'the report of an earlier SIGTERM; the one of SIGKILL is waited for',
  },
  {
    machine: 'command',
    states: ['clearing'],
    events: ['signal.delivered'],
    reason: 'the report of an earlier SIGTERM, which counts those that were about to end',
  },
  {
    machine: 'command',
    states: ['killing', 'clearing', 'sweeping', 'cleared'],
    events: ['signal.failed'],
    reason: 'an earlier SIGTERM failed; SIGKILL may still reach them',
  },
  { machine: 'connection', states: '*', events: ['deadline.expired'], reason: STALE },
  { machine: 'backend', states: '*', events: ['deadline.expired'], reason: STALE },
  {
    machine: 'backend',
    states: ['starting', 'locating', 'up'],
    events: ['process.exited'],
    reason: 'a helper ended; the testbed lives and dies with its main process only',
  },
  { machine: 'backend', states: ['stopping', 'keeping'], events: ['removal.requested'], reason: NO_MORE_FORCE },
  { machine: 'reboot', states: '*', events: ['deadline.expired'], reason: STALE },
  {
    machine: 'reboot',
    states: ['connecting', 'identifying', 'asking', 'rising', 'proving'],
    events: ['connection.failed', 'connection.retired'],
    reason: OTHER_CONNECTION,
  },
  {
    machine: 'reboot',
    states: ['connecting', 'rising'],
    events: ['connection.established'],
    reason: OTHER_CONNECTION,
  },
  { machine: 'testbed', states: '*', events: ['deadline.expired'], reason: STALE },
  {
    machine: 'testbed',
    states: ['connecting', 'reverting.reconnecting'],
    events: ['connection.established'],
    reason: 'a connection from before, which is being hung up',
  },
  {
    machine: 'testbed',
    states: ['ready.idle', 'ready.executing'],
    events: ['connection.failed'],
    reason: 'a connection that is not in the pool (any more)',
  },
  {
    machine: 'testbed',
    states: ['ready.idle', 'ready.executing', 'rebooting', 'failed'],
    events: ['channel.refused'],
    reason: 'not for want of room: the command itself is refused, and its own machine concludes it',
  },
  {
    machine: 'testbed',
    states: ['tearing-down.settling', 'tearing-down.hanging-up', 'tearing-down.removing'],
    events: ['teardown.requested'],
    reason: NO_MORE_FORCE,
  },
];
