import { mkdirSync } from 'node:fs';
import type { BackendHost } from '../contract.ts';
import type { Enter } from '../shared/enter.ts';
import { initScript } from '../shared/namespaces/FirstShell.ts';
import { overlayLine } from '../shared/namespaces/setupScript.ts';
import type { OverlayFiles } from '../shared/outer/OverlayFiles.ts';
import { outerScript } from '../shared/outer/outerScript.ts';
import type { ContainerPlan, Place } from '../shared/outer/plan.ts';
import { quote } from '../shared/quote.ts';
import { explainStart } from './explain.ts';
import type { NspawnOptions } from './options.ts';

/** Namespaces that are entered, by their names in /proc/PID/ns and in nsenter(1). */
const ENTERED = [
  ['mnt', '--mount'],
  ['pid', '--pid'],
  ['ipc', '--ipc'],
  ['uts', '--uts'],
  ['cgroup', '--cgroup'],
  ['net', '--net'],
] as const;

/** Enters the control group whose list of processes is $1, then the rest. Else logind could move nobody out of ours. */
const JOIN = 'echo 0 >"$1" && shift && exec "$@"';

/** How systemd-nspawn(1) runs a container over files. */
export function nspawnPlan(
  { boot, network, image }: NspawnOptions,
  files: OverlayFiles,
  host: BackendHost,
  cgroup: string,
): ContainerPlan {
  // At most 64 letters, digits and dashes.
  const machine = `trundle-${host.run}-${host.testbed}`.replaceAll(/[^A-Za-z0-9-]/g, '-').slice(0, 64);
  const privateNetwork = network === 'private';
  const argv = nspawnArgv({ machine, boot, privateNetwork });
  const { root, lock } = files;
  const mounts = `r=${quote(root.mountpoint)}
${overlayLine(root, false)}
cd "$r"
${boot ? '' : knowing(machine)}mount -n -t proc -o nosuid,nodev,noexec proc /proc
mount -n -t tmpfs -o mode=755,nosuid,nodev run /run
mkdir /run/root
mount -n --bind . /run/root
cd /`;
  return {
    argv,
    script: outerScript({ lock, mounts, scratch: '/run', cgroup, supervisors: '', run: argv.map(quote).join(' ') }),
    boot,
    enter: (place) => wayInto(place, cgroup, privateNetwork),
    explain: (end) => explainStart({ ...end, image, boot }),
  };
}

/**
 * Has the container know its own name, as podman and docker do, and "localhost" where there is no hosts(5) at all. It is
 * written to the layer. A link may lead out of the image, where nothing is to be written. Pure.
 */
function knowing(machine: string): string {
  const localhost = '127.0.0.1 localhost\\n::1 localhost ip6-localhost ip6-loopback\\n';
  return `if [ -d etc ] && [ ! -L etc ] && [ ! -L etc/hosts ]; then
  [ -e etc/hosts ] || printf '${localhost}' >etc/hosts
  echo 127.0.1.1 ${machine} >>etc/hosts
fi
`;
}

/** The argv of systemd-nspawn(1). What it runs is the image's init, or a shell that only waits. Pure. */
function nspawnArgv(how: { machine: string; boot: boolean; privateNetwork: boolean }): string[] {
  return [
    'systemd-nspawn',
    '--quiet',
    '--directory=/run/root',
    `--machine=${how.machine}`,
    // Nobody else is to manage it, and it shall live in our control group.
    '--register=no',
    '--keep-unit',
    '--settings=no',
    '--link-journal=no',
    '--timezone=off',
    ...(how.privateNetwork ? ['--private-network'] : []),
    ...(how.boot
      ? ['--console=read-only', '--boot']
      : // An init would make it, in the fresh /run that a container gets.
        ['--tmpfs=/run/lock:mode=1777,size=5m', '--console=pipe', '--', '/bin/sh', '-c', initScript(false)]),
  ];
}

/** Namespaces are named by open descriptors, so that no other process's can be meant. */
function wayInto({ leader, outer, keep }: Place, cgroup: string, privateNetwork: boolean): Enter {
  const wanted = ENTERED.filter(([file]) => file !== 'net' || privateNetwork);
  const words = wanted.map(([file, flag]) => `${flag}=${keep(`/proc/${leader}/ns/${file}`, 'r')}`);
  // A leaf of its own: an init may have handed controllers down, and then no process can be above.
  const group = `/proc/${outer}/root/sys/fs/cgroup${cgroup}/payload/trundle`;
  mkdirSync(group, { recursive: true });
  const processes = keep(`${group}/cgroup.procs`, 'w');
  return { argv: ['sh', '-c', JOIN, 'sh', processes, 'nsenter', ...words, '--'], environment: 'passed' };
}
