import { ROOT_PATH } from '../../standin/index.ts';
import { BackendError } from '../contract.ts';
import type { Enter } from '../shared/enter.ts';
import { namedProgram } from '../shared/programs.ts';
import type { ContainerOptions, Program } from './options.ts';

/** A program that runs containers, as it is called. */
export interface Engine {
  readonly name: Program;
  readonly argv: readonly string[];
}

/** What a container says on a line of its own, before it does anything else. */
export const STARTED = 'trundle: the container has started';

/** Exit status of a container whose image has no init to boot. */
export const NO_INIT = 94;

/** Reaps whom it is left, and does nothing else. As PID 1 it would not hear SIGTERM without a trap. */
const PAUSE = `echo '${STARTED}'; trap 'exit 0' TERM; while :; do sleep 3600 & wait; done`;

const BOOT = `[ -x /sbin/init ] || exit ${NO_INIT}; echo '${STARTED}'; exec /sbin/init`;

/** Docker mounts the cgroups read-only, and an init wants groups of its own. */
const BOOT_DOCKER = `mount -o remount,rw /sys/fs/cgroup; ${BOOT}`;

/** What an init needs of each program. Only podman knows of systemd by itself. */
const INIT_FLAGS: Record<Program, readonly string[]> = {
  podman: ['--tty', '--systemd=always'],
  docker: [
    '--tty',
    '--cap-add=SYS_ADMIN',
    '--security-opt=apparmor=unconfined',
    '--cgroupns=private',
    '--tmpfs=/run:exec,mode=755',
    '--tmpfs=/run/lock',
    '--env=container=docker',
    '--stop-signal=SIGRTMIN+3',
  ],
};

/** Options that would take a container out of our hands. */
const OURS = /^(--(name|rm|detach|entrypoint|cidfile|attach|interactive|user|pod|restart)(=|$)|-[adiu])/;

/** How the program is called. */
export function engineOf(name: Program, { program, sudo, debug }: ContainerOptions): Engine {
  const flags = debug ? ['--log-level=debug'] : [];
  return { name, argv: [...(sudo ? ['sudo'] : []), namedProgram(program ?? name), ...flags] };
}

/**
 * The command that makes a container, without starting it. Pure.
 * @throws BackendError `usage` where an argument is not for the user to give
 */
export function createArgv({ name: program, argv }: Engine, name: string, options: ContainerOptions): string[] {
  const { image, args, init, network } = options;
  const wrong = args.find((word) => OURS.test(word));
  if (wrong !== undefined)
    throw new BackendError('usage', `${wrong} is not for the testbed's user to say: trundle says it itself`, {
      remedy: 'leave it out',
    });
  const ownNetwork = args.some((word) => /^--net(work)?(=|$)/.test(word));
  const script = init ? (program === 'docker' ? BOOT_DOCKER : BOOT) : PAUSE;
  return [
    ...argv,
    'create',
    `--name=${name}`,
    '--pull=never',
    // Whoever removes it by force need not wait for it.
    '--stop-timeout=0',
    '--user=0:0',
    ...(ownNetwork ? [] : [`--network=${network}`]),
    ...(init ? INIT_FLAGS[program] : []),
    ...args,
    '--entrypoint=/bin/sh',
    image,
    '-c',
    script,
  ];
}

/** The command that starts it, prints what it prints, and ends as it ends. Pure. */
export function startArgv({ name: program, argv }: Engine, name: string): string[] {
  return [...argv, 'start', '--attach', ...(program === 'podman' ? ['--sig-proxy=false'] : []), name];
}

/** The command that tells whether it runs, by `true` or `false`. Pure. */
export function runningArgv({ argv }: Engine, name: string): string[] {
  return [...argv, 'inspect', '--type=container', '--format={{.State.Running}}', name];
}

/** The command that removes it, in whatever state it is; a container that is not there is fine. Pure. */
export function removeArgv({ name: program, argv }: Engine, name: string): string[] {
  if (program === 'podman') return [...argv, 'rm', '--force', '--ignore', '--volumes', name];
  // Older ones fail where there is none.
  const script = 'out=$("$@" 2>&1) && exit; case $out in *"o such container"*) exit 0;; esac; echo "$out" >&2; exit 1';
  return ['sh', '-c', script, 'sh', ...argv, 'rm', '--force', '--volumes', name];
}

/** What would be kept from the program and have it left. Docker always has such keys: some that nobody types. */
const DETACH_KEYS: Record<Program, string> = {
  podman: '--detach-keys=',
  docker: `--detach-keys=${Array(8).fill('ctrl-^,ctrl-_').join(',')}`,
};

/** The way into a container. Pure. */
export function enterContainer({ name: program, argv }: Engine, name: string): Enter {
  const exec = (user: string, ...flags: string[]) => [
    ...[...argv, 'exec', '--interactive', ...flags],
    ...[`--user=${user}`, '--workdir=/', name],
  ];
  const tty = ['--tty', DETACH_KEYS[program]];
  return {
    argv: exec('0:0'),
    environment: 'dropped',
    daemon: program === 'docker',
    // Both would make pipes of our terminal.
    terminal: { argv: exec('0:0', ...tty), as: ({ uid, gid }) => exec(`${uid}:${gid}`, ...tty) },
    as: ({ uid, gid }) => exec(`${uid}:${gid}`),
  };
}

/** The command by which a person gets into a container, to an interactive shell. Pure. */
export function personArgv({ argv }: Engine, name: string, shell: string): string[] {
  return [...argv, 'exec', '--interactive', '--tty', '--user=0:0', '--workdir=/', name, shell, '-l'];
}

/**
 * Run inside as root: waits until the init has done its work, and says how it is (systemctl(1), is-system-running).
 * Before the manager listens it can only be asked again.
 */
export const WAIT_BOOTED = `
PATH=${ROOT_PATH}
n=0
while [ $n -lt 3000 ]; do
  if command -v systemctl >/dev/null; then
    state=$(systemctl is-system-running --wait 2>/dev/null)
    case $state in running|degraded|maintenance|stopping) echo "$state"; exit 0;; esac
  elif command -v runlevel >/dev/null; then
    case $(runlevel 2>/dev/null) in *[2-5]) echo running; exit 0;; esac
  else
    echo unknown; exit 0
  fi
  n=$((n + 1)); sleep 0.1
done
exit 1
`;
