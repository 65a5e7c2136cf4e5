import { readdirSync, readFileSync } from 'node:fs';

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

/** Whether a process of this machine has not ended (proc(5), /proc/PID/stat). */
export function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/** The processes that a process has started and not yet collected; none where it has gone. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    // It has just ended.
    return [];
  }
}

/** Whether a process is the first of its pid namespace (proc(5), NSpid of /proc/PID/status). */
export function isFirst(pid: number): boolean {
  try {
    return /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    // It has just ended.
    return false;
  }
}

/** Whether a process of this machine has the name on its command line (proc(5), /proc/PID/cmdline). */
export function isNamedByAnybody(name: string): boolean {
  return readdirSync('/proc').some((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(name);
    } catch {
      // It ended while we looked, or is none that we may see.
      return false;
    }
  });
}
