import { readdirSync, readlinkSync } from 'node:fs';
import { type ProcessStat, statOf } from '../owner.ts';

/** All processes of this machine, by their pids. */
export function allProcesses(): Map<number, ProcessStat> {
  const processes = new Map<number, ProcessStat>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const stat = Number.isSafeInteger(pid) ? statOf(pid) : null;
    if (stat !== null) processes.set(pid, stat);
  }
  return processes;
}

/**
 * The first process of a pid namespace is not gone before all others in it have been collected. Who came in from outside
 * is collected by who brought it in, as nsenter(1) does, and that has stopped itself where the other was stopped: it is
 * to go on.
 * @param group the process group of who made the namespaces, or was their first process
 */
export function letCollectorsGoOn(group: number): void {
  const processes = allProcesses();
  const inside = new Set<number>();
  const add = (pid: number) => {
    if (inside.has(pid)) return;
    inside.add(pid);
    for (const [child, { parent }] of processes) if (parent === pid) add(child);
  };
  for (const [pid, { processGroup }] of processes) if (processGroup === group) add(pid);
  const namespaces = new Set([...inside].map(namespaceOf));
  for (const own of [null, namespaceOf(process.pid)]) namespaces.delete(own);
  for (const [pid, { state, parent }] of processes) {
    const stopped = state === 'Z' && processes.get(parent)?.state === 'T';
    if (stopped && !inside.has(parent) && namespaces.has(namespaceOf(pid))) goOn(parent);
  }
}

function goOn(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has just ended, or is none that we may tell.
  }
}

/** The pid namespace that a process is in; null where it has gone, or is none that we may see. */
function namespaceOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}
