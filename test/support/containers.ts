import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imageDirectory } from './images.ts';
import { findProgram } from './needs.ts';
import { makeOrdinaryUser } from './ordinaryUser.ts';

/** A program that runs containers, made to work on this machine, with a storage of its own. */
export interface ContainerProgram {
  /** What to give --program. */
  readonly program: string;
  /** Runs it; gives its stdout. */
  run(...args: string[]): string;
  /** The name of an image made from a tarball. It is made once, and kept as the tarball is. */
  image(tarball: string): string;
  /** Stops what runs for it. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A view of cgroup v2 for one command, where the machine has none: no package can switch that on, and an init needs
 * it. The mounts are seen by the command, and by what it starts, only.
 */
export const CGROUP2_VIEW = `if [ ! -e /sys/fs/cgroup/cgroup.controllers ] && [ "$(id -u)" = 0 ]; then
  exec unshare --mount --propagation private sh -c 'umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; exec "$@"' sh "$@"
fi
exec "$@"`;

/** Settings without which root's podman wants what a machine may refuse: limits above the hard ones, crun on cgroup v1. */
function containersConf(): string {
  const limits = ['nofile', 'nproc'].map((name) => `"${name}=${hardLimit(name)}:${hardLimit(name)}"`);
  const runtime = findProgram('runc') === null ? [] : ['runtime = "runc"'];
  return [
    '[containers]',
    `default_ulimits = [${limits.join(', ')}]`,
    'pids_limit = 0',
    '[engine]',
    ...runtime,
    'cgroup_manager = "cgroupfs"',
    'events_logger = "file"',
    '',
  ].join('\n');
}

function hardLimit(name: string): number {
  const row = name === 'nofile' ? 'Max open files' : 'Max processes';
  const line = readFileSync('/proc/self/limits', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(row));
  const [, hard = ''] = line?.slice(row.length).trim().split(/\s+/) ?? [];
  return Math.min(Number.parseInt(hard, 10) || 20_000, 20_000);
}

/**
 * Options that have root's podman keep images beside the tarballs that they are made from.
 * @param own the directory of another store, and of what podman remembers of it
 */
export function rootStorage(own?: { store: string; runroot: string }): string {
  const storage = own?.store ?? join(imageDirectory(), 'podman');
  mkdirSync(storage, { recursive: true });
  return `--root ${storage} --runroot ${own?.runroot ?? '/run/trundle-test-podman'} --log-level error`;
}

/**
 * Root's podman.
 * @param own the directory of an image store that is gone with its caller; absent: images are beside the tarballs that
 * they are made from
 */
export function rootPodman(own?: string): ContainerProgram {
  const directory = mkdtempSync(join(tmpdir(), 'trundle-podman-'));
  writeFileSync(join(directory, 'containers.conf'), containersConf());
  const words = `podman ${rootStorage(own === undefined ? undefined : { store: own, runroot: join(directory, 'run') })}`;
  const script = `export CONTAINERS_CONF=${directory}/containers.conf\nset -- ${words} "$@"\n${CGROUP2_VIEW}`;
  const program = scriptAt(join(directory, 'podman'), script);
  const made = programOf(program, own === undefined ? join(imageDirectory(), 'podman.lock') : join(directory, 'lock'));
  return {
    ...made,
    async [Symbol.asyncDispose]() {
      made.forget();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** What an ordinary user sees of control groups: what this machine mounts; those of version 2; one of their own in it. */
export type Cgroups = 'as-here' | 'seen' | 'own';

/**
 * The beginning of a command line that is run as an ordinary user, by root. Where they have a control group, it is called
 * as they are: a login by systemd gives one. The mounts are seen by the command, and by what it starts, only.
 */
export function asUser(login: string, cgroups: Cgroups): string[] {
  const become = ['setpriv', '--reuid', login, '--regid', login, '--init-groups'];
  if (cgroups === 'as-here') return become;
  const script = `own=$(sed -n s/^0:://p /proc/self/cgroup)
[ -e /sys/fs/cgroup/cgroup.controllers ] || umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
if [ "$2" = own ]; then
  group=/sys/fs/cgroup$own/$1
  mkdir -p "$group/session"
  chown "$1" "$group" "$group/cgroup.procs" "$group/session" "$group/session/cgroup.procs"
  echo 0 >"$group/session/cgroup.procs"
fi
shift 2
exec "$@"`;
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', script, 'sh', login, cgroups, ...become];
}

/** Ends what is in the control group of a user that {@link asUser} made, and removes it. */
export function endOwnCgroup(login: string): void {
  const script = `own=$(sed -n s/^0:://p /proc/self/cgroup)
mount -t cgroup2 cgroup2 /sys/fs/cgroup
group=/sys/fs/cgroup$own/$1
[ -d "$group" ] || exit 0
echo 1 >"$group/cgroup.kill"
for tries in $(seq 200); do
  find "$group" -depth -type d -exec rmdir {} + && exit
  sleep 0.05
done 2>/dev/null
exit 1`;
  execFileSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-ec', script, 'sh', login]);
}

/** The podman of an ordinary user of this machine, made for it, with images of their own. Takes root. */
export function rootlessPodman(cgroups: Cgroups = 'as-here'): ContainerProgram {
  const user = makeOrdinaryUser();
  const directory = mkdtempSync(join(tmpdir(), 'trundle-rootless-'));
  chmodSync(directory, 0o755);
  writeFileSync(join(directory, 'containers.conf'), containersConf());
  const runtime = join(user.home, 'run');
  execFileSync('install', ['--directory', '--owner', user.login, '--group', user.login, '--mode=700', runtime]);
  const become = asUser(user.login, cgroups).map((word) => `'${word}'`);
  const script = [
    `export CONTAINERS_CONF=${directory}/containers.conf HOME=${user.home} XDG_RUNTIME_DIR=${runtime}`,
    'cd /',
    `exec ${become.join(' ')} podman --storage-driver overlay --log-level error "$@"`,
  ].join('\n');
  const program = scriptAt(join(directory, 'podman'), script);
  return {
    ...programOf(program, join(directory, 'lock')),
    async [Symbol.asyncDispose]() {
      // Ends the process that holds the user's namespaces, without which userdel(8) would leave it behind.
      execFileSync(program, ['system', 'migrate'], { stdio: 'ignore' });
      if (cgroups === 'own') endOwnCgroup(user.login);
      user[Symbol.dispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Writes a shell script that can be run. Returns its path. */
export function scriptAt(path: string, text: string): string {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A program by its path; images are made under a lock. */
export function programOf(
  program: string,
  lock: string,
): Omit<ContainerProgram, typeof Symbol.asyncDispose> & { forget(): void } {
  const passing = new Set<string>();
  return {
    program,
    /** Removes the images of tarballs that are not kept. */
    forget() {
      if (passing.size > 0) spawnSync(program, ['image', 'rm', '--force', ...passing], { stdio: 'ignore' });
    },
    run: (...args) => execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    image(tarball) {
      const { size, mtimeMs } = statSync(tarball);
      const name = createHash('sha256').update([tarball, size, mtimeMs].join(' ')).digest('hex').slice(0, 12);
      const image = `localhost/trundle-test:${name}`;
      if (!tarball.startsWith(imageDirectory())) passing.add(image);
      // Whoever had the lock before may have made it.
      const make = '"$1" image inspect "$2" >/dev/null 2>&1 || "$1" import "$3" "$2"';
      const made = spawnSync('flock', [lock, 'sh', '-c', make, 'sh', program, image, tarball], { encoding: 'utf8' });
      if (made.status !== 0) throw new Error(`${program} import ${tarball} failed: ${made.stderr}`);
      return image;
    },
  };
}

/** A docker daemon of one's own, which touches neither this machine's firewall nor its bridges. */
export interface DockerDaemon extends ContainerProgram {
  /** Ends the daemon at once, with all that it can take along. */
  kill(): Promise<void>;
}

/** Exit status of flock(1) where somebody else has the lock. */
const TAKEN = 91;

/**
 * A daemon with an image store that is gone with it.
 * @param data its directory, which is its caller's to remove; one of the daemon's own if absent
 */
export function startDocker(data?: string): Promise<DockerDaemon> {
  return start(data ?? null);
}

/** A daemon whose images are kept beside the tarballs. Several have several stores: the first one that is free. */
export async function keptDocker(): Promise<DockerDaemon> {
  for (let slot = 1; slot <= 9; slot++) {
    const data = join(imageDirectory(), `docker-${slot}`);
    mkdirSync(data, { recursive: true });
    try {
      return await start(data);
    } catch (error) {
      if ((error as { status?: number }).status !== TAKEN) throw error;
    }
  }
  throw new Error(`all stores in ${imageDirectory()} are in use`);
}

/** Starts dockerd(8) by hand. It ends with this process too: its supervisor's stdin is closed by the kernel then. */
async function start(given: string | null): Promise<DockerDaemon> {
  const directory = mkdtempSync(join(tmpdir(), 'trundle-dockerd-'));
  const socket = join(directory, 'socket');
  const data = given ?? join(directory, 'data');
  // A file of this machine's administrator has no say here.
  writeFileSync(join(directory, 'daemon.json'), '{}');
  const daemon = [
    'dockerd',
    ...['--data-root', data, '--exec-root', join(directory, 'exec')],
    ...['--pidfile', join(directory, 'pid'), '--config-file', join(directory, 'daemon.json')],
    ...['--host', `unix://${socket}`, '--storage-driver', 'overlay2'],
    ...['--bridge=none', '--iptables=false', '--ip-forward=false', '--userland-proxy=false'],
  ];
  // All of it is in a pid namespace, so that nothing outlives its first process.
  const script = '("$@" >&2) & read -r _; kill -TERM "$!"; wait';
  const supervised = ['sh', '-c', CGROUP2_VIEW, 'sh', 'sh', '-c', script, 'sh', ...daemon];
  const lock = ['--no-fork', '--nonblock', '--conflict-exit-code', String(TAKEN), `${data}.lock`];
  const namespaces = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const child = spawn('flock', [...lock, ...namespaces, ...supervised], { stdio: ['pipe', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  try {
    await whenListening(child);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  const program = scriptAt(join(directory, 'docker'), `export DOCKER_HOST=unix://${socket}\nexec docker "$@"`);
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  const made = programOf(program, join(directory, 'lock'));
  return {
    ...made,
    kill,
    async [Symbol.asyncDispose]() {
      made.forget();
      child.stdin?.end();
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function whenListening(child: ChildProcess): Promise<void> {
  let log = '';
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => reject(Object.assign(new Error(`dockerd ended: ${log}`), { status })));
    child.stdin?.on('error', () => {});
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-20_000);
      if (log.includes('API listen on')) resolve();
    });
  });
}
