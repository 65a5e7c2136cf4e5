// A testbed that is this machine, seen through an overlay and in namespaces of its own: tests may install, break and
// start what they like, and all of it is gone afterwards. Needs root, an overlay file system and an installed sshd.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BackendError, defineBackend, generateKeyPair, Subject, z } from 'trundle';

const SSHD = '/usr/sbin/sshd';

/** PID 1 of the testbed: mounts what is seen there, says so, and then only takes care of orphans. */
const INIT = `set -e
work=$1 size=$2
mount -t tmpfs -o "size=$size,mode=0755" tmpfs "$work/root"
cd "$work/root"
mkdir upper work merged
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay merged
cd merged
mount -t proc proc proc
mount --rbind /dev dev
mount --rbind /sys sys
mount -t tmpfs -o mode=0755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mkdir -p run/sshd
cp -r "$work/sshd" run/trundle
chmod 0755 run/trundle
ip link set lo up
pivot_root . mnt
umount -l /mnt
echo ready
exec </dev/null >/dev/null 2>&1
while :; do sleep 86400 & wait $!; done`;

/** With SHLVL, bash takes itself for an inner shell: what this machine's ~/.bashrc does is for people, not for tests. */
const CONFIG = `HostKey /run/trundle/host_key
AuthorizedKeysFile /run/trundle/authorized_keys
UsePAM no
SetEnv SHLVL=1
`;

const options = z.object({
  size: z.string().default('50%').describe('how much may be written, as the size of a tmpfs (50%, of the memory)'),
  normalUser: z.string().optional().describe('ordinary user to suggest for tests that do not need root'),
});

class OverlayTestbed {
  observations$ = new Subject();
  #options;
  #host;
  #keys = null;
  #init = null;

  constructor(chosen, host) {
    this.#options = chosen;
    this.#host = host;
  }

  /** Writes the configuration of sshd into the work directory, which goes away by itself. */
  async create() {
    const [server, client] = await Promise.all([generateKeyPair(), generateKeyPair()]);
    this.#keys = { server, client };
    const home = join(this.#host.workDirectory, 'sshd');
    await mkdir(home);
    await mkdir(join(this.#host.workDirectory, 'root'));
    await writeFile(join(home, 'host_key'), server.privateKey, { mode: 0o600 });
    await writeFile(join(home, 'authorized_keys'), `${client.publicKey}\n`, { mode: 0o644 });
    await writeFile(join(home, 'config'), CONFIG);
  }

  /** The kernel ends all that is in the namespaces, mounts too, when their first process ends. */
  async start(signal) {
    const namespaces = ['--mount', '--pid', '--net', '--uts', '--ipc', '--fork', '--kill-child'];
    const words = [...namespaces, 'sh', '-c', INIT, 'init', this.#host.workDirectory, this.#options.size];
    const child = spawn('unshare', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    await once(child, 'spawn');
    const release = this.#host.acquire({
      kind: 'process',
      name: String(child.pid),
      startTime: await startTimeOf(child.pid),
    });
    const gone = once(child, 'exit').then(([status, exitSignal]) => {
      release();
      const process = { process: 'init', role: 'main' };
      this.observations$.next({ type: 'process.exited', ...process, status, signal: exitSignal });
    });
    this.#init = { child, gone };
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      complaint = (complaint + text).slice(-2000);
    });
    signal.addEventListener('abort', () => child.kill('SIGKILL'), { once: true });
    for await (const line of createInterface({ input: child.stdout })) if (line === 'ready') return;
    throw new BackendError('no-overlay', `the testbed cannot be set up: ${complaint.trim() || 'it was ended'}`);
  }

  async endpoint() {
    const init = await firstProcess(this.#init.child.pid);
    const enter = ['nsenter', '--target', String(init), '--mount', '--pid', '--net', '--uts', '--ipc', '--'];
    const { normalUser } = this.#options;
    return {
      endpoint: {
        via: { kind: 'process', argv: [...enter, SSHD, '-i', '-f', '/run/trundle/config'] },
        server: 'sshd',
        login: 'root',
        ...(normalUser === undefined ? {} : { normalUser }),
        hostKeys: [this.#keys.server.fingerprint],
        credentials: { privateKeys: [this.#keys.client.privateKey] },
      },
      capabilities: ['root-on-testbed', 'revert'],
    };
  }

  async reset(signal) {
    await this.stop();
    await this.start(signal);
  }

  async stop() {
    const init = this.#init;
    this.#init = null;
    if (init === null) return;
    // The kernel ends it after all others in the namespaces, and unshare ends after it.
    const first = await firstProcess(init.child.pid).catch(() => null);
    if (first === null || !kill(first)) init.child.kill('SIGKILL');
    await init.gone;
  }

  destroy() {
    return this.stop();
  }
}

/** The process that unshare has made in the namespaces; null where there is none yet, or no more. */
async function firstProcess(pid) {
  const [init] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1')).split(' ');
  return Number(init) || null;
}

function kill(pid) {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

async function startTimeOf(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}

async function probe() {
  if (process.getuid() !== 0) return { available: false, missing: 'root', remedy: 'run it as root' };
  try {
    accessSync(SSHD);
  } catch {
    return { available: false, missing: 'no sshd', remedy: 'apt-get install openssh-server' };
  }
  const overlays = (await readFile('/proc/filesystems', 'latin1')).includes('\toverlay\n');
  return overlays ? { available: true } : { available: false, missing: 'no overlayfs', remedy: 'modprobe overlay' };
}

export default defineBackend({
  name: 'overlay',
  summary: 'this machine, with all that changes thrown away',
  options,
  probe,
  capabilities: () => ['root-on-testbed', 'revert'],
  open: (chosen, host) => new OverlayTestbed(chosen, host),
});
