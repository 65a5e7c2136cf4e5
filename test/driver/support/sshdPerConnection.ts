import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { generateKeyPair } from '../../../src/driver/index.ts';
import type { ReachableEndpoint } from '../../../src/events/index.ts';
import { sessionEnvironment } from '../../faults/support/sshServer.ts';
import { findProgram } from '../../support/needs.ts';

/** A real sshd that serves one connection per process, on its stdin and stdout (sshd(8), -i). */
export interface SshdPerConnection extends AsyncDisposable {
  readonly argv: string[];
  /** Who it is and how to log in; `via` leads to the program. */
  readonly endpoint: ReachableEndpoint;
  /** Starts one for each connection to a Unix socket. Returns its path. */
  listen(): Promise<string>;
}

/** Makes its keys and its configuration; nothing runs yet. */
export function sshdPerConnection(): SshdPerConnection {
  const directory = mkdtempSync(join(tmpdir(), 'trundle-sshd-i-'));
  chmodSync(directory, 0o755);
  const write = (name: string, text: string, mode = 0o600) => {
    const file = join(directory, name);
    writeFileSync(file, text, { mode });
    return file;
  };
  const host = generateKeyPair();
  const client = generateKeyPair();
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const config = [
    `HostKey ${write('host_key', host.privateKey)}`,
    `AuthorizedKeysFile ${write('authorized_keys', `${client.publicKey}\n`, 0o644)}`,
    'StrictModes no',
    'UsePAM no',
    'UseDNS no',
    sessionEnvironment(),
    '',
  ];
  const argv = [findProgram('sshd') ?? 'sshd', '-i', '-f', write('sshd_config', config.join('\n'))];
  const [program = '', ...args] = argv;
  const children = new Set<ChildProcess>();
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const child = spawn(program, args, { stdio: [socket, socket, 'ignore'] });
    children.add(child);
    child.once('exit', () => children.delete(child));
    // The child has it now.
    socket.destroy();
  });
  return {
    argv,
    endpoint: {
      via: { kind: 'process', argv },
      server: 'sshd',
      login: userInfo().username,
      hostKeys: [host.fingerprint],
      credentials: { privateKeys: [client.privateKey] },
    },
    async listen() {
      const path = join(directory, 'socket');
      server.listen(path);
      await once(server, 'listening');
      return path;
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGKILL');
      if (server.listening) {
        server.close();
        await once(server, 'close');
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
