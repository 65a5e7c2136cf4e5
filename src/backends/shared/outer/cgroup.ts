import { readFileSync } from 'node:fs';
import { BackendError, type BackendHost } from '../../contract.ts';
import { mustRun } from '../runProgram.ts';

/**
 * Empties and removes the control group $1 with all below it. The hierarchy of version 2 may be mounted elsewhere on
 * this machine or not at all, so it is mounted where only this command sees it.
 */
const REMOVE = `mount -n -t cgroup2 cgroup2 /sys/fs/cgroup || exit 1
group=/sys/fs/cgroup$1
tries=0
while [ -d "$group" ]; do
  { echo 1 >"$group/cgroup.kill"; } 2>/dev/null
  said=$(find "$group" -depth -type d -exec rmdir {} \\; 2>&1) && break
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { echo "$said" >&2; exit 1; }
  sleep 0.05
done`;

/** A control group that was written to the trace before it is made. */
export interface HeldCgroup {
  /** Its path in the hierarchy of version 2. */
  readonly path: string;
  /** Ends what is left in it, removes it and strikes it out. @throws BackendError `left-behind` */
  remove(signal: AbortSignal): Promise<void>;
}

/** Promises to remove a control group below our own. @throws BackendError `no-cgroup2` */
export function holdCgroup(host: BackendHost): HeldCgroup {
  const own = ownCgroup();
  if (own === null)
    throw new BackendError('no-cgroup2', 'this kernel has no control groups of version 2', {
      remedy: 'boot with cgroup_no_v1=all or without cgroup_disable=',
    });
  const path = `${own === '/' ? '' : own}/trundle-${host.run}-${host.testbed}`;
  const removal = ['unshare', '--mount', '--propagation', 'private', '--', 'sh', '-c', REMOVE, 'sh', path];
  const struck = host.acquire({ kind: 'cgroup', name: path, release: removal });
  let gone = false;
  return {
    path,
    async remove(signal) {
      if (gone) return;
      await mustRun(removal, {
        signal,
        code: 'left-behind',
        doing: `removing the control group ${path}`,
        remedy: `look at what /proc/*/cgroup names ${path}, end it, and rmdir it where cgroup2 is mounted`,
      });
      gone = true;
      struck();
    },
  };
}

/** Our own control group of version 2; null where the kernel has none. */
export function ownCgroup(): string | null {
  try {
    return /^0::(\/.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? null;
  } catch {
    // No /proc, or a kernel without control groups.
    return null;
  }
}
