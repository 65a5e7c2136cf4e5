import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CGROUP2_VIEW, scriptAt } from './containers.ts';
import { findProgram } from './needs.ts';

/** A daemon of LXD or Incus of one's own, with a store of its own that is gone with it. */
export interface InstanceDaemon extends AsyncDisposable {
  /** What to give --program: its client, which speaks to this daemon. */
  readonly program: string;
  /** Where its socket is. */
  readonly directory: string;
  /** Runs the client; gives its stdout. */
  run(...args: string[]): string;
  /** The alias of an image made from a tarball of a root file system. */
  image(tarball: string): string;
  /** Ends the daemon at once, with all that it runs. */
  kill(): Promise<void>;
}

/** What the two differ in, as their users see it. */
const KINDS = {
  lxd: { daemon: 'lxd', client: 'lxc', variable: 'LXD_DIR', init: ['lxd', 'init'] },
  incus: { daemon: 'incusd', client: 'incus', variable: 'INCUS_DIR', init: ['incus', 'admin', 'init'] },
} as const;

/** A pool of plain directories, and instances without a network. Nesting lets them mount /proc without AppArmor. */
const PRESEED = `storage_pools:
- {name: default, driver: dir}
profiles:
- name: default
  config: {security.nesting: "true"}
  devices:
    root: {type: disk, path: /, pool: default}
`;

/** What an image says of itself, besides its root file system. */
const METADATA = `architecture: ${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}\ncreation_date: 1700000000\n`;

/** Removes the control groups of the instances "$@". The last of their processes take a moment to die. */
const REMOVE_GROUPS = `for name; do
  for group in /sys/fs/cgroup/lxc.payload.$name /sys/fs/cgroup/lxc.monitor.$name; do
    n=0
    while [ -d "$group" ] && ! find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; do
      [ $n -lt 100 ] || { echo "$group is in use" >&2; exit 1; }
      n=$((n + 1)); sleep 0.1
    done
  done
done`;

/** The names of a daemon's instances; none where it does not answer. */
function instances(program: string): string[] {
  const list = spawnSync(program, ['list', '--format=csv', '--columns=n'], { encoding: 'utf8', timeout: 10_000 });
  return list.stdout.split('\n').filter((name) => name !== '');
}

/** What a daemon is started with. */
interface DaemonOptions {
  /** Whether it has a pool and a profile; it does if absent. */
  readonly prepared?: boolean;
  /** How much its pool holds, as mount(8) takes sizes; as much as memory allows if absent. */
  readonly room?: string;
}

/** Starts a daemon by hand. It ends with this process too: its supervisor's stdin is closed by the kernel then. */
export async function startInstanceDaemon(
  kind: 'lxd' | 'incus',
  { prepared = true, room = '50%' }: DaemonOptions = {},
): Promise<InstanceDaemon> {
  const { daemon, client, variable, init } = KINDS[kind];
  const directory = mkdtempSync(join(tmpdir(), `trundle-${kind}-`));
  // The root of an instance is an ordinary user of this machine, and must get there.
  chmodSync(directory, 0o755);
  const home = join(directory, 'home');
  mkdirSync(home);
  // A client remembers things of its own; Debian keeps the daemon of Incus out of PATH.
  const set = `export ${variable}=${join(directory, 'data')} HOME=${home} XDG_CACHE_HOME=${home}`;
  mkdirSync(join(directory, 'data'));
  const programs = 'PATH=/usr/libexec/incus:$PATH:/usr/sbin:/sbin';
  // Root file systems are in memory, and gone with the daemon's mounts.
  const data = join(directory, 'data');
  const mounts = Object.entries({ 'storage-pools': room, images: '50%' }).map(
    ([name, size]) => `mkdir ${data}/${name}; mount -t tmpfs -o size=${size} none ${data}/${name}`,
  );
  const script = `${set} ${programs}\n${mounts.join('\n')}\n("$@" >&2) & read -r _; kill -KILL "$!"; wait`;
  // All of it is in a pid namespace, so that nothing outlives its first process.
  const namespaces = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private'];
  const argv = ['sh', '-c', CGROUP2_VIEW, 'sh', 'sh', '-c', script, 'sh', daemon, '--group', 'root'];
  const child = spawn(namespaces[0] as string, [...namespaces.slice(1), ...argv], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const remove = () => rmSync(directory, { recursive: true, force: true });
  const log = collect(child);
  try {
    const ready = spawnClient(init[0] === 'lxd' ? 'lxd' : 'incus', set, kind === 'lxd' ? [] : ['admin']);
    await Promise.race([ready, exited.then(() => Promise.reject(new Error(`${daemon} ended: ${log()}`)))]);
    if (prepared)
      execFileSync('sh', ['-c', `${set}\nexec "$@"`, 'sh', ...init, '--preseed'], { input: PRESEED, stdio: 'pipe' });
  } catch (error) {
    child.kill('SIGKILL');
    await exited;
    remove();
    throw error;
  }
  const program = scriptAt(join(directory, client), `${set}\nexec ${findProgram(client) ?? client} "$@"`);
  const run = (...args: string[]) =>
    execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  let images = 0;
  const kill = async () => {
    const names = child.exitCode === null && child.signalCode === null ? instances(program) : [];
    child.kill('SIGKILL');
    await exited;
    // Nobody else removes the control groups of containers whose daemon was killed.
    if (names.length > 0) execFileSync('sh', ['-c', CGROUP2_VIEW, 'sh', 'sh', '-c', REMOVE_GROUPS, 'sh', ...names]);
  };
  return {
    program,
    directory: join(directory, 'data'),
    run,
    kill,
    image(tarball) {
      images += 1;
      const alias = `image-${images}`;
      const metadata = join(directory, 'metadata');
      mkdirSync(metadata, { recursive: true });
      writeFileSync(join(metadata, 'metadata.yaml'), METADATA);
      execFileSync('tar', ['-C', metadata, '-cf', `${metadata}.tar`, 'metadata.yaml']);
      run('image', 'import', `${metadata}.tar`, tarball, '--alias', alias);
      return alias;
    },
    async [Symbol.asyncDispose]() {
      await kill();
      remove();
    },
  };
}

/** Waits until a daemon answers: both have a command for it, with a deadline. */
async function spawnClient(program: string, set: string, words: readonly string[]): Promise<void> {
  const argv = [program, ...words, 'waitready', '--timeout=60'];
  const child = spawn('sh', ['-c', `${set}\nexec "$@"`, 'sh', ...argv], { stdio: ['ignore', 'ignore', 'pipe'] });
  const log = collect(child);
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`${argv.join(' ')} failed: ${log()}`);
}

function collect(child: ChildProcess): () => string {
  let log = '';
  child.stdin?.on('error', () => {});
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-20_000);
  });
  return () => log;
}
