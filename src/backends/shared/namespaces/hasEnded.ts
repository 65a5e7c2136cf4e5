import { readFileSync } from 'node:fs';
import type { Observation } from '../../contract.ts';

/** What is told where it turns out only when an init is told to end that it has ended before. */
export const ENDED_BEFORE: Observation = {
  type: 'guest.stopped',
  reason: 'process init ended before it was told to',
};

/**
 * Whether a process has ended, though it may be there for a while: the first of a pid namespace until all others in it
 * have gone. Its memory goes before any of them is killed (proc(5), vsize of /proc/PID/stat), so whoever has seen the
 * end of one of them is told the truth.
 */
export function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses, field 2, may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[20] === '0';
  } catch {
    return true;
  }
}

/** Has an init of ours end, unless it has ended or is not ours to end: it ends with its stdin as well. */
export function endInit(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // ESRCH, or EPERM where somebody else has started it for us.
  }
}
