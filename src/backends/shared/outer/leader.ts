import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { childrenOf, isFirst } from '../processes.ts';

/**
 * The process that is a container's PID 1, as this machine sees it: the child of the program that `ancestor` has
 * started, once it runs what the image gave it; null before. A hook that the program runs besides is none.
 */
export function leaderBelow(ancestor: number, program: string): number | null {
  for (const supervisor of descendants(ancestor)) {
    const running = exeOf(supervisor);
    if (running === null || basename(running) !== program) continue;
    for (const child of childrenOf(supervisor)) {
      const own = exeOf(child);
      if (own !== null && own !== running && isFirst(child)) return child;
    }
  }
  return null;
}

/** The file name of the program that a process runs; empty where it has gone. */
export function programOf(pid: number): string {
  return basename(exeOf(pid) ?? '');
}

/** Whether a container's first process still runs. One that has ended, and that nobody has collected yet, does not. */
export function isAlive(leader: number): boolean {
  return exeOf(leader) !== null;
}

function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);
}

function exeOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    // It has just ended, or does not run a program yet.
    return null;
  }
}
