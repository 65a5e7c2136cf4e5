import { execFileSync, spawn } from 'node:child_process';
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configureBackend, openTestbed, type Testbed } from '../src/index.ts';
import { startSshServer } from '../test/faults/support/sshServer.ts';
import { findProgram } from '../test/support/needs.ts';
import { type BenchAccount, withAccount } from './account.ts';

/** Two ways to the same sshd on the loopback, both with a connection already open. */
export interface Loopback {
  readonly account: BenchAccount;
  /** Ours. */
  readonly testbed: Testbed;
  /** Runs a command through OpenSSH's open connection; `pipe` is a line for the local shell with `$SSH` in it. */
  ssh(command: string): Promise<void>;
  pipe(line: string): Promise<void>;
}

/** Starts an sshd, connects to it with Trundle and with OpenSSH as a ControlMaster, and ends all of it after use. */
export async function withLoopback<T>(use: (loopback: Loopback) => Promise<T>): Promise<T> {
  for (const program of ['sshd', 'ssh', 'ssh-keygen']) {
    if (findProgram(program) === null) throw new Error(`no ${program} (apt-get install openssh-server openssh-client)`);
  }
  return await withAccount(async (account) => {
    const authorizedKeys = join(account.home, 'authorized_keys');
    await using server = await startSshServer([`AuthorizedKeysFile ${authorizedKeys}`]);
    writeFileSync(authorizedKeys, execFileSync('ssh-keygen', ['-y', '-f', server.identity]));
    chownSync(authorizedKeys, account.uid, account.gid);

    const { host, port } = server.address;
    const client = [
      ...['ssh', '-F', 'none', '-i', server.identity, '-l', account.name, '-p', String(port)],
      ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'],
      // What Trundle and this server agree on. OpenSSH's own first choice is half as fast on most machines.
      ...['-c', 'aes128-gcm@openssh.com', '-o', `ControlPath=${join(account.home, 'control')}`],
    ];
    const [program = 'ssh', ...args] = client;
    // -f: in the background once the connection stands.
    await ended(spawn(program, [...args, '-M', '-N', '-f', host], { stdio: 'ignore' }));
    try {
      const words = ['ssh', '--hostname', host, '--port', String(port), '--login', account.name];
      await using testbed = await openTestbed(
        await configureBackend([...words, '--identity', server.identity, '--host-key', server.hostKey]),
      );
      const env = { ...process.env, SSH: [...client, host].join(' ') };
      return await use({
        account,
        testbed,
        ssh: (command) => ended(spawn(program, [...args, host, command], { stdio: 'ignore' })),
        pipe: (line) => ended(spawn('/bin/sh', ['-c', line], { env, stdio: ['ignore', 'ignore', 'inherit'] })),
      });
    } finally {
      await ended(spawn(program, [...args, '-O', 'exit', host], { stdio: 'ignore' }));
    }
  });
}

function ended(child: ReturnType<typeof spawn>): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => {
      if (status === 0) resolve();
      else reject(new Error(`${child.spawnargs.join(' ')} ended with ${status ?? signal}`));
    });
  });
}
