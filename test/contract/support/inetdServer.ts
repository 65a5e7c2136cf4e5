import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyPair } from '../../../src/driver/index.ts';
import { findProgram } from '../../support/needs.ts';

/** A real sshd that serves one connection per process, as inetd(8) would start it. */
export interface InetdServer extends AsyncDisposable {
  /** The command whose stdin and stdout are the server. */
  readonly argv: readonly string[];
  /** SHA256 fingerprint of its host key. */
  readonly hostKey: string;
  /** File with the private key by which everybody here may log in. */
  readonly identity: string;
  /** Starts one for each connection to a Unix socket. Returns its path. */
  listen(): Promise<string>;
}

/** Makes its keys and its configuration; nothing runs yet. */
export async function makeInetdServer(): Promise<InetdServer> {
  const directory = mkdtempSync(join(tmpdir(), 'trundle-inetd-'));
  // sshd reads the authorized keys as the user who logs in, whoever that is.
  chmodSync(directory, 0o755);
  const write = (name: string, text: string, mode: number) => {
    const file = join(directory, name);
    writeFileSync(file, text, { mode });
    return file;
  };
  const host = await generateKeyPair();
  const user = await generateKeyPair();
  // The privilege separation directory of a machine on which no sshd was ever started.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const config = [
    `HostKey ${write('host_key', host.privateKey, 0o600)}`,
    `AuthorizedKeysFile ${write('authorized_keys', `${user.publicKey}\n`, 0o644)}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'PrintMotd no',
    'UseDNS no',
    // bash takes itself for an inner shell then, and leaves the start-up files of whoever runs the tests alone.
    'SetEnv SHLVL=1',
    '',
  ].join('\n');
  const argv = [findProgram('sshd') ?? 'sshd', '-i', '-f', write('sshd_config', config, 0o600)];
  const identity = write('identity', user.privateKey, 0o600);
  const children = new Set<ChildProcess>();
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const [program = '', ...args] = argv;
    const child = spawn(program, args, { stdio: [socket, socket, 'ignore'] });
    children.add(child);
    child.once('exit', () => children.delete(child));
    // The child has it now.
    socket.destroy();
  });
  return {
    argv,
    hostKey: host.fingerprint,
    identity,
    async listen() {
      const path = join(directory, 'socket');
      server.listen(path);
      await once(server, 'listening');
      return path;
    },
    async [Symbol.asyncDispose]() {
      const ends = [...children].map((child) => once(child, 'exit'));
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(ends);
      if (server.listening) {
        server.close();
        await once(server, 'close');
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
