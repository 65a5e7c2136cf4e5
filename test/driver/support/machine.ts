import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { generateKeyPair } from '../../../src/driver/index.ts';
import type { ReachableEndpoint } from '../../../src/events/index.ts';
import { sessionEnvironment } from '../../faults/support/sshServer.ts';
import { vacantAddress } from '../../support/badServers.ts';
import { findProgram } from '../../support/needs.ts';

/** A machine that can be rebooted: a PID namespace with an init, whose end takes everything in it along. */
export interface Machine extends AsyncDisposable {
  readonly endpoint: ReachableEndpoint;
  /** How often it was switched on. */
  readonly boots: number;
  /** From now on, whoever asks for a reboot is told that it is under way, and nothing happens. */
  stay(): void;
}

/** Programs that reboot. */
const POWER = ['systemctl', 'reboot', 'shutdown'];

/**
 * Switches it on. `systemctl reboot` in it, which is all of systemctl that there is, has its init end; then it is
 * switched on anew, as a new boot. `honest` false: only the SSH server is started anew, and the same boot goes on.
 * Takes root.
 */
export async function startMachine({ honest = true } = {}): Promise<Machine> {
  const directory = mkdtempSync(join(tmpdir(), 'trundle-machine-'));
  chmodSync(directory, 0o755);
  const write = (name: string, text: string, mode = 0o600) => {
    const file = join(directory, name);
    writeFileSync(file, text, { mode });
    return file;
  };
  const hostKey = generateKeyPair();
  const client = generateKeyPair();
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  // An address that was free a moment ago, of a range that nobody else uses.
  const vacant = await vacantAddress();
  const { host, port } = vacant.address;
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  const teach = (script: string) => {
    for (const name of POWER) write(`bin/${name}`, `#!/bin/sh\n${script}\n`, 0o755);
  };
  teach('kill -s TERM 1');
  const config = write(
    'sshd_config',
    [
      `ListenAddress ${host}:${port}`,
      `HostKey ${write('host_key', hostKey.privateKey)}`,
      `AuthorizedKeysFile ${write('authorized_keys', `${client.publicKey}\n`, 0o644)}`,
      'StrictModes no',
      'PidFile none',
      'UsePAM no',
      'UseDNS no',
      sessionEnvironment(),
      '',
    ].join('\n'),
  );
  const sshd = `${findProgram('sshd')} -D -e -f ${config}`;
  // The machine shares our files: these programs must not be ours, or we would be rebooted.
  const covered = ['/bin', '/sbin', '/usr/bin', '/usr/sbin'].flatMap((place) =>
    POWER.map((name) => `if [ -e ${place}/${name} ]; then mount --bind ${bin}/${name} ${place}/${name} || exit 1; fi`),
  );
  const serve = honest
    ? `trap 'exit 0' TERM; ${sshd} & wait`
    : `trap : TERM; while :; do ${sshd} & s=$!; wait $s; kill -9 -1; wait; done`;
  const init = [...covered, `PATH=${bin}:$PATH`, serve].join('\n');
  let boots = 0;
  let running: ChildProcess | null = null;
  let off = false;
  const boot = async () => {
    boots += 1;
    const child = spawn('unshare', ['--pid', '--fork', '--kill-child', '--mount-proc', '/bin/sh', '-c', init], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    running = child;
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      if (!line.startsWith('Server listening')) continue;
      child.stderr.resume();
      child.once('exit', () => {
        if (!off) void boot();
      });
      return;
    }
    throw new Error(`the machine did not start:\n${said.join('\n')}`);
  };
  await boot();
  return {
    endpoint: {
      via: { kind: 'tcp', host, port },
      server: 'sshd',
      login: 'root',
      hostKeys: [hostKey.fingerprint],
      credentials: { privateKeys: [client.privateKey] },
    },
    get boots() {
      return boots;
    },
    stay: () => teach('exit 0'),
    async [Symbol.asyncDispose]() {
      off = true;
      if (running !== null && running.exitCode === null && running.signalCode === null) {
        const gone = once(running, 'exit');
        running.kill('SIGKILL');
        await gone;
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
