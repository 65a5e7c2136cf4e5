import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { generateKeyPair } from '../../../src/driver/index.ts';
import type { Address } from '../../support/faultProxy.ts';
import { findProgram } from '../../support/needs.ts';

/** A real sshd of its own on the loopback. */
export interface SshServer extends AsyncDisposable {
  readonly address: Address;
  /** SHA256 fingerprint of its host key. */
  readonly hostKey: string;
  /** File with the private key that may log in. */
  readonly identity: string;
  readonly login: string;
  /** SIGSTOP for the daemon and all its sessions: sockets stay open, nobody answers. */
  freeze(): void;
  thaw(): void;
  /** SIGKILL for the sessions only: whoever dials again is served. */
  killSessions(): void;
  /** SIGKILL for the daemon and all its sessions. */
  kill(): void;
}

/** Starts it. `config` goes first in its sshd_config(5), and the first value of a keyword holds. */
export async function startSshServer(config: readonly string[] = []): Promise<SshServer> {
  const directory = mkdtempSync(join(tmpdir(), 'trundle-sshd-'));
  const host = await generateKeyPair();
  const user = await generateKeyPair();
  const write = (name: string, text: string) => {
    const file = join(directory, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const hostKey = write('host_key', host.privateKey);
  const identity = write('identity', user.privateKey);
  const authorized = write('authorized_keys', `${user.publicKey}\n`);
  // sshd reads this file as the user who logs in, whoever that is.
  chmodSync(directory, 0o755);
  chmodSync(authorized, 0o644);
  // The privilege separation directory of a machine on which no sshd was ever started.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const address = await unusedAddress();
  const file = write(
    'sshd_config',
    [
      ...config,
      `ListenAddress ${address.host}:${address.port}`,
      `HostKey ${hostKey}`,
      `AuthorizedKeysFile ${authorized}`,
      'StrictModes no',
      'PidFile none',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PrintMotd no',
      'UseDNS no',
      'MaxStartups 100',
      // Before what follows, since sshd keeps the first value of each keyword.
      // bash takes itself for an inner shell then, and leaves the start-up files of whoever runs the tests alone.
      'SetEnv SHLVL=1',
      '',
    ].join('\n'),
  );
  const sshd = findProgram('sshd') ?? 'sshd';
  const daemon = spawn(sshd, ['-D', '-e', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  await listening(daemon);
  const pid = daemon.pid ?? 0;
  const sessions = () => descendants(pid);
  const kill = () => {
    for (const each of [pid, ...sessions()]) signal(each, 'SIGKILL');
  };
  return {
    address,
    hostKey: host.fingerprint,
    identity,
    login: userInfo().username,
    freeze: () => {
      for (const each of [pid, ...sessions()]) signal(each, 'SIGSTOP');
    },
    thaw: () => {
      for (const each of [pid, ...sessions()]) signal(each, 'SIGCONT');
    },
    killSessions: () => {
      for (const each of sessions()) if (isSshd(each)) signal(each, 'SIGKILL');
    },
    kill,
    async [Symbol.asyncDispose]() {
      kill();
      if (daemon.exitCode === null && daemon.signalCode === null) await once(daemon, 'exit');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/**
 * A line of configuration by which sessions have these variables, and a home with no start-up files: those of whoever
 * runs the tests may do anything, and take any time.
 */
export function sessionEnvironment(variables: Readonly<Record<string, string>> = {}): string {
  const words = Object.entries({ SHLVL: '1', HOME: '/', ...variables }).map(([name, value]) => `${name}=${value}`);
  return `SetEnv ${words.join(' ')}`;
}

/** An address of the loopback that nobody else uses: sshd(8) cannot ask the kernel for a port by itself. */
async function unusedAddress(): Promise<Address> {
  const [a = 1, b = 1, c = 1] = randomBytes(3);
  const host = `127.${1 + (a % 254)}.${b}.${1 + (c % 254)}`;
  const probe = createServer().listen(0, host);
  await once(probe, 'listening');
  const bound = probe.address();
  probe.close();
  await once(probe, 'close');
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return { host, port: bound.port };
}

async function listening(daemon: ChildProcess): Promise<void> {
  if (daemon.stderr === null) throw new Error('sshd has no stderr');
  const said: string[] = [];
  for await (const line of createInterface({ input: daemon.stderr })) {
    said.push(line);
    if (line.startsWith('Server listening')) {
      // What it says later must not fill the pipe.
      daemon.stderr.resume();
      return;
    }
  }
  throw new Error(`sshd did not start:\n${said.join('\n')}`);
}

function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const each = Number(name);
    if (!Number.isSafeInteger(each)) continue;
    try {
      const stat = readFileSync(`/proc/${each}/stat`, 'latin1');
      parents.set(each, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It ended while we looked.
    }
  }
  const found: number[] = [];
  for (let generation = [pid]; generation.length > 0; ) {
    generation = [...parents].filter(([, parent]) => generation.includes(parent)).map(([child]) => child);
    found.push(...generation);
  }
  return found;
}

function isSshd(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'latin1').trim() === 'sshd';
  } catch {
    return false;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Whether a mount of a tmpfs of this size worked, at this place. */
export function mountTmpfs(path: string, size: string): void {
  mkdirSync(path, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'trundle-test', path]);
}
