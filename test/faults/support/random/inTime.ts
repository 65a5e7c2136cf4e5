import { expect } from 'vitest';
import {
  type Cause,
  DEADLINES,
  type Deadline,
  type DeadlineTable,
  type EventType,
  type Phase,
  type TrundleEvent,
} from '../../../../src/events/index.ts';

/** Milliseconds by which a machine that has much else to do may be late. */
const LATE = 3000;

/**
 * The deadlines that runs have here, where a fault does not need others: more than a slow machine takes for anything, and less
 * than the tests wait for it.
 */
export const USUAL: DeadlineTable = {
  ...{ provision: 25_000, boot: 25_000, 'ssh-ready': 25_000, reset: 25_000, restart: 25_000, teardown: 28_000 },
  ...{ channel: 25_000, terminate: 2000, kill: 2000 },
};

const COMMAND: readonly Deadline[] = ['terminate', 'kill', 'drain', 'close'];

/** The events by which each phase begins, and the deadlines that together bound it. docs/deadlines.md tells them. */
const BOUNDS: Readonly<Record<Phase, readonly [begins: readonly EventType[], deadlines: readonly Deadline[]]>> = {
  plan: [['run.started'], []],
  provision: [['testbed.requested'], ['provision', 'cancel']],
  boot: [['provision.completed'], ['boot', 'endpoint', 'cancel']],
  'ssh-ready': [['connection.requested'], ['ssh-ready']],
  exec: [['command.started'], ['command', ...COMMAND]],
  copy: [['copy.started'], ['channel', ...COMMAND]],
  reboot: [['reboot.requested'], ['reboot-identify', 'reboot-down', 'restart', 'reboot-up', 'cancel']],
  revert: [['revert.requested'], ['reset', 'endpoint', 'ssh-ready', 'cancel']],
  teardown: [
    ['teardown.requested', 'testbed.failed'],
    ['teardown', 'cancel'],
  ],
};

/** That a cause came, and the teardown ended, within the deadlines of the run's own table. */
export function expectInTime(events: readonly TrundleEvent[], cause: Cause | null): void {
  if (cause !== null) expectWithin(events, cause.phase, proofOf(events, cause));
  const removed = events.findLast(({ type }) => type === 'testbed.removed');
  if (removed !== undefined) expectWithin(events, 'teardown', removed.seq);
}

/** The event that proves a cause; of a command or copy that names none, the one that tells how it ended. */
function proofOf(events: readonly TrundleEvent[], { evidence, phase }: Cause): number {
  if (evidence.length > 0) return Math.max(...evidence);
  const end = phase === 'copy' ? 'copy.failed' : 'command.concluded';
  return events.find(({ type }) => type === end)?.seq ?? 0;
}

/** That an event came no later in its phase than the deadlines of the phase allow. */
function expectWithin(events: readonly TrundleEvent[], phase: Phase, seq: number): void {
  const [begins, deadlines] = BOUNDS[phase];
  const proof = events.find((event) => event.seq === seq);
  // An event may be the beginning of its phase, and its own proof.
  const began = events.findLast((event) => event.seq <= seq && begins.includes(event.type));
  if (proof === undefined || began === undefined) throw new Error(`nothing tells when ${phase} began, or event ${seq}`);
  const requested = events.find(({ type }) => type === 'testbed.requested');
  const table = { ...DEADLINES, ...(requested?.type === 'testbed.requested' ? requested.deadlines : {}) };
  const { timeout } =
    (events.find(
      (event) =>
        event.type === 'command.requested' && began.type === 'command.started' && event.command === began.command,
    ) as { timeout?: number | null }) ?? {};
  const own = { ...table, ...(timeout == null ? {} : { command: timeout }) };
  const allowed = deadlines.reduce((sum, name) => sum + own[name], 0) + LATE;
  const took = proof.at - began.at;
  expect(took, `ms from ${began.type} to ${proof.type}, in the phase ${phase}, of ${allowed}`).toBeLessThan(allowed);
}
