import { readFileSync } from 'node:fs';
import { BackendError, type BackendHost } from '../../contract.ts';
import { type Held, hold } from '../held.ts';

/**
 * Empties and removes the control group $1 with all below it. The hierarchy of version 2 may be mounted elsewhere on
 * this machine or not at all, so it is mounted where only this command sees it. Where there is systemd's hierarchy of
 * version 1 as well, systemd-nspawn(1) makes the same group there, and leaves it.
 */
const REMOVE = `group=/sys/fs/cgroup$1
tries=0
remove() {
  while [ -d "$group" ]; do
    { echo 1 >"$group/cgroup.kill"; } 2>/dev/null
    said=$(find "$group" -depth -type d -exec rmdir {} \\; 2>&1) && break
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { echo "$said" >&2; exit 1; }
    sleep 0.05
  done
}
mount -n -t cgroup2 cgroup2 /sys/fs/cgroup || exit 1
remove
if grep -q '^[0-9]*:name=systemd:' /proc/self/cgroup; then
  mount -n -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup || exit 1
  remove
fi`;

/** Promises to end what is left in a control group below our own, and to remove it. @throws BackendError `no-cgroup2` */
export function holdCgroup(host: BackendHost): Held {
  const own = ownCgroup();
  if (own === null)
    throw new BackendError('no-cgroup2', 'this kernel has no control groups of version 2', {
      remedy: 'boot with cgroup_no_v1=all or without cgroup_disable=',
    });
  const path = `${own === '/' ? '' : own}/trundle-${host.run}-${host.testbed}`;
  const removal = ['unshare', '--mount', '--propagation', 'private', '--', 'sh', '-c', REMOVE, 'sh', path];
  const remedy = `look at what /proc/*/cgroup names ${path}, end it, and rmdir it where cgroup2 is mounted`;
  return hold(host, { kind: 'cgroup', path, what: `the control group ${path}` }, { removal, otherwise: null, remedy });
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
