import { lockLines } from '../namespaces/setupScript.ts';
import { quote } from '../quote.ts';
import { NO_CGROUPS } from './plan.ts';

/** What the first process of the outer namespaces sets up and runs. */
export interface OuterPlan {
  /** A file that is locked (flock(2), shared) for as long as the namespaces live; null for none. */
  readonly lock: string | null;
  /** Lines that set up mounts. There are a /proc of these namespaces and the scratch directory afterwards. */
  readonly mounts: string;
  /** A directory that only these namespaces have. */
  readonly scratch: string;
  /** The container's control group of version 2. */
  readonly cgroup: string;
  /** The group below it, as in `/supervisor`, for the processes around the container; empty for itself. */
  readonly supervisors: string;
  /** Lines that run the container once; `$?` is its exit status afterwards. Its stdin never ends. */
  readonly run: string;
}

/**
 * The script that the first process of the outer namespaces runs. It waits to be recorded, sets up mounts and a control
 * group, and runs the container once for each line that it reads. It ends with its stdin, and with it all that it
 * started: container, mounts, and what is in the scratch directory. On descriptor 3 it tells its pid, and how each container
 * ended. Pure.
 */
export function outerScript({ lock, mounts, scratch, cgroup, supervisors, run }: OuterPlan): string {
  const group = `/sys/fs/cgroup${cgroup}${supervisors}`;
  return `set -e
umask 022
read -r pid rest </proc/self/stat
echo "pid $pid" >&3
read -r go || exit 0
${lock === null ? '' : lockLines(lock)}${mounts}
mount -n -t cgroup2 cgroup2 /sys/fs/cgroup || exit ${NO_CGROUPS}
mkdir -p ${quote(group)}
echo 0 >${quote(`${group}/cgroup.procs`)}
mkfifo ${quote(`${scratch}/never`)}
exec 4<>${quote(`${scratch}/never`)}
while read -r _; do
  { set +e; { ${run}; } <&4 3>&- 4>&- 9>&-; echo "exited $?" >&3; } &
done
`;
}
