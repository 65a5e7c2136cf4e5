import { readFileSync } from 'node:fs';

/** Kills a process of ours that may have ended already. */
export function kill9(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ESRCH: it has just ended, which is what was wanted.
  }
}

/** When a process started, in clock ticks since boot: field 22 of /proc/PID/stat (proc(5)). @throws Error without one */
export function startTimeOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name in parentheses, field 2, may hold anything.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}
