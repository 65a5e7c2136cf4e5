import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * The process that is a container's PID 1, as this machine sees it: the child of the systemd-nspawn(1) that `ancestor`
 * has started, once it runs what the image gave it; null before.
 */
export function leaderBelow(ancestor: number): number | null {
  for (const nspawn of descendants(ancestor)) {
    const program = exeOf(nspawn);
    if (program === null || !program.endsWith('/systemd-nspawn')) continue;
    for (const child of childrenOf(nspawn)) {
      const own = exeOf(child);
      if (own !== null && own !== program) return child;
    }
  }
  return null;
}

/** The first word of a process's name (proc(5), /proc/PID/comm); empty where it has gone. */
export function commOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    // It has just ended.
    return '';
  }
}

/** Whether a container's first process still runs. One that has ended, and that nobody has collected yet, does not. */
export function isAlive(leader: number): boolean {
  return exeOf(leader) !== null;
}

function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    // It has just ended.
    return [];
  }
}

function exeOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    // It has just ended, or does not run a program yet.
    return null;
  }
}
