import { INIT, overlayLine, type RootPlan } from '../shared/namespaces/setupScript.ts';
import { quote } from '../shared/quote.ts';

/** The exit status that says: the hierarchy of control groups could not be mounted. */
export const NO_CGROUPS = 91;

/** How a container is run. */
export interface ContainerPlan {
  readonly root: RootPlan & { kind: 'overlay' };
  /** A file that is locked (flock(2), shared) for as long as the container lives; null for none. */
  readonly lock: string | null;
  /** Its control group of version 2. */
  readonly cgroup: string;
  /** At most 64 letters, digits and dashes. */
  readonly machine: string;
  readonly boot: boolean;
  readonly privateNetwork: boolean;
}

/** The argv of systemd-nspawn(1). What it runs is the image's init, or a shell that only waits. Pure. */
export function nspawnArgv({ machine, boot, privateNetwork }: ContainerPlan): string[] {
  return [
    'systemd-nspawn',
    '--quiet',
    '--directory=/run/root',
    `--machine=${machine}`,
    // Nobody else is to manage it, and it shall live in our control group.
    '--register=no',
    '--keep-unit',
    '--settings=no',
    '--link-journal=no',
    '--timezone=off',
    ...(privateNetwork ? ['--private-network'] : []),
    ...(boot ? ['--console=read-only', '--boot'] : ['--console=pipe', '--', '/bin/sh', '-c', INIT]),
  ];
}

/**
 * The script that the first process of the outer namespaces runs. It waits to be recorded, sets up the root and a
 * control group, and starts the container once for each line that it reads. It ends with its stdin, and with it all
 * that it started: container, mounts and what systemd-nspawn(1) keeps in /run, which is not this machine's. On
 * descriptor 3 it tells its pid, and how each container ended. Pure.
 */
export function containerScript(plan: ContainerPlan): string {
  const { root, lock, cgroup } = plan;
  return `set -e
umask 022
read -r pid rest </proc/self/stat
echo "pid $pid" >&3
read -r go || exit 0
${lock === null ? '' : `exec 9<${quote(lock)}\nflock --shared 9\n`}r=${quote(root.mountpoint)}
${overlayLine(root, false)}
cd "$r"
mount -n -t proc -o nosuid,nodev,noexec proc /proc
mount -n -t tmpfs -o mode=755,nosuid,nodev run /run
mkdir /run/root
mount -n --bind . /run/root
cd /
mount -n -t cgroup2 cgroup2 /sys/fs/cgroup || exit ${NO_CGROUPS}
mkdir -p ${quote(`/sys/fs/cgroup${cgroup}`)}
echo 0 >${quote(`/sys/fs/cgroup${cgroup}/cgroup.procs`)}
mkfifo /run/never
exec 4<>/run/never
while read -r _; do
  { set +e; ${nspawnArgv(plan).map(quote).join(' ')} <&4 3>&- 4>&- 9>&-; echo "exited $?" >&3; } &
done
`;
}
