import type { Clock } from '../../events/index.ts';
import { errnoOf } from '../files.ts';
import { isAlive, statOf } from '../owner.ts';
import { allProcesses, letCollectorsGoOn } from './collectors.ts';

/** Milliseconds that a process has to end after SIGTERM, and after SIGKILL. */
const GRACE = 5000;
/**
 * Milliseconds between two looks at a process. There is no event to wait for: the end of a process is told only to
 * its parent, and a pidfd cannot be had from Node.
 */
const LOOK = 25;
/** Milliseconds after which others are looked for that keep it from ending: to look at all of them takes a while. */
const HELP = 500;

/**
 * Ends a process and, where it leads one, its process group: SIGTERM, then SIGKILL.
 * @returns why it may still be there, or null where it is gone
 */
export async function endProcess(pid: number, startTime: number | undefined, clock: Clock): Promise<string | null> {
  if (!Number.isSafeInteger(pid) || pid < 2) return 'its name is no process id';
  const stat = statOf(pid);
  if (startTime === undefined && stat !== null)
    return 'its start time is not known: this may be another process with its pid';
  if (startTime === undefined || stat?.startTime !== startTime) return orphansOf(pid, stat !== null);
  const leads = stat.processGroup === pid && statOf(process.pid)?.processGroup !== pid;
  const isThere = () => isAlive(pid, startTime) || (leads && members(pid).length > 0);
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(leads ? -pid : pid, signal);
    } catch (error) {
      if (errnoOf(error) === 'EPERM') return `it may not be ended by this user (${signal}: EPERM)`;
      if (errnoOf(error) !== 'ESRCH') throw error;
    }
    if (await ends(isThere, clock, () => leads && letCollectorsGoOn(pid))) return null;
  }
  return `it is still there ${GRACE} ms after SIGKILL: it hangs in the kernel`;
}

async function ends(isThere: () => boolean, clock: Clock, help: () => void): Promise<boolean> {
  for (let waited = 0; isThere(); waited += LOOK) {
    if (waited >= GRACE) return false;
    if (waited % HELP === HELP - LOOK) help();
    await new Promise<void>((resolve) => clock.after(LOOK, resolve));
  }
  return true;
}

/** A group may outlive its leader; but without the leader nothing proves that it is the same group. */
function orphansOf(pid: number, reused: boolean): string | null {
  const orphans = reused ? [] : members(pid);
  return orphans.length === 0 ? null : `it has ended, but its process group may live on (pid ${orphans.join(', ')})`;
}

/** The processes of a group that have not ended. */
function members(group: number): number[] {
  return [...allProcesses()].flatMap(([pid, { processGroup, state }]) =>
    processGroup === group && state !== 'Z' && state !== 'X' ? [pid] : [],
  );
}
