import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NEVER } from 'rxjs';
import type { Capability, Credentials, Endpoint } from '../../events/index.ts';
import { homeDirectory, ownAccount } from '../../host/index.ts';
import { BackendError, type BackendHost, type BackendVerbs, defineBackend, type Location } from '../contract.ts';
import { findProgram, installCommand } from '../shared/programs.ts';
import { fingerprintsFor, parseKnownHosts } from './knownHosts.ts';
import { type SshOptions, sshOptions, withLogin } from './options.ts';
import { shellWords } from './shellWords.ts';

/** An existing host, reached over SSH. Nothing is made and nothing is removed: only what tests leave behind stays. */
export const sshBackend = defineBackend({
  name: 'ssh',
  summary: 'an existing host with an SSH server',
  options: sshOptions,
  help: {
    short: { debug: 'd', hostname: 'H', port: 'p', login: 'l', identity: 'i', password: 'P', reboot: 'r' },
    secret: ['password'],
    refused: {
      '-o, --options':
        'they are for ssh(1), which is not run. Have it make the way: --command "ssh OPTIONS -W localhost:22 HOST", with --known-hosts or --host-key for the host',
      '-s, --setup-script':
        'what makes a testbed and takes it away is a backend of its own, as docs/backends.md tells; or make the host first, and give its address',
    },
  },
  probe: () => Promise.resolve({ available: true, detail: 'needs a host that you can log in to' }),
  capabilities: (options) => capabilitiesOf(withLogin(options)),
  deadlines: ({ timeoutSsh }) => (timeoutSsh === undefined ? {} : { 'ssh-ready': Math.ceil(timeoutSsh * 1000) }),
  whyNotKept: () => 'it is a host of its own, which stays anyway',
  open: (options, host) => new SshTestbed(withLogin(options), host),
});

class SshTestbed implements BackendVerbs {
  readonly observations$ = NEVER;
  readonly #options: SshOptions;
  readonly #host: BackendHost;

  constructor(options: SshOptions, host: BackendHost) {
    this.#options = options;
    this.#host = host;
  }

  /** Reads keys and known hosts, so that what is missing is said before anything is dialled. */
  create(): Promise<void> {
    this.#locate();
    return Promise.resolve();
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  endpoint(): Promise<Location> {
    return Promise.resolve(this.#locate());
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  destroy(): Promise<void> {
    return Promise.resolve();
  }

  #locate(): Location {
    const { login = ownLogin(), normalUser } = this.#options;
    return {
      endpoint: {
        via: viaOf(this.#options),
        server: 'sshd',
        login,
        ...(normalUser === undefined ? {} : { normalUser }),
        hostKeys: this.#hostKeys(),
        credentials: credentialsOf(this.#options, (message) => this.#host.log(message)),
      },
      capabilities: capabilitiesOf(this.#options),
    };
  }

  #hostKeys(): string[] {
    const { hostKey, knownHosts, hostname, port, socket } = this.#options;
    if (hostKey.length > 0) return hostKey;
    const name = hostname ?? socket ?? 'localhost';
    const files =
      knownHosts.length > 0 ? knownHosts : [join(homeDirectory(), '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts'];
    const keys = files.flatMap((file) => {
      const text = readKnownHosts(file, knownHosts.length > 0);
      return parseKnownHosts(text, (line, why) => this.#host.log(`${file}:${line}: ${why}`));
    });
    const { accepted, revoked } = fingerprintsFor(keys, name, port);
    if (accepted.length > 0) return accepted;
    if (revoked.length > 0)
      throw new BackendError(
        'host-key-revoked',
        `${files.join(' or ')}: every host key of ${name} is marked @revoked`,
        {
          remedy: `find out why; if ${name} has a new key, add it: ssh-keyscan -p ${port} ${name}`,
        },
      );
    throw new BackendError('host-key-unknown', `no host key of ${name} is known in ${files.join(' or ')}`, {
      remedy: `ssh-keyscan -p ${port} ${name} >>known_hosts, compare the fingerprint with the host's own, then --known-hosts known_hosts`,
    });
  }
}

function viaOf({ hostname, port, socket, command }: SshOptions): Endpoint['via'] {
  if (socket !== undefined) return { kind: 'unix', path: socket };
  if (command !== undefined) return { kind: 'process', argv: runnable(shellWords(command)) };
  return { kind: 'tcp', host: hostname ?? '', port };
}

/** The command with its program's path. A server that is not there now would else be dialled again and again. */
function runnable([name = '', ...args]: readonly string[]): string[] {
  if (name.includes('/')) {
    try {
      accessSync(name, constants.X_OK);
      return [name, ...args];
    } catch (error) {
      throw new BackendError('program-missing', `--command: ${name} cannot be run: ${(error as Error).message}`);
    }
  }
  const path = findProgram(name);
  if (path === null)
    throw new BackendError('program-missing', `--command: there is no program ${name} on this machine`, {
      remedy: installCommand(name),
    });
  return [path, ...args];
}

function credentialsOf({ identity, password, agent }: SshOptions, log: BackendHost['log']): Credentials {
  const socket = process.env.SSH_AUTH_SOCK;
  const files = identity.length > 0 ? identity : defaultIdentities();
  const privateKeys = files.flatMap((file) => {
    try {
      return [readFileSync(file, 'utf8')];
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (identity.length > 0)
        throw new BackendError('no-identity', `the identity ${file} cannot be read: ${message}`, {
          remedy: 'give the path of a private key to --identity',
        });
      if (code !== 'ENOENT') log(`the identity ${file} cannot be read: ${message}`);
      return [];
    }
  });
  return {
    privateKeys,
    ...(agent && socket !== undefined && socket !== '' ? { agent: socket } : {}),
    ...(password === undefined ? {} : { password: passwordOf(password) }),
  };
}

function defaultIdentities(): string[] {
  return ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(homeDirectory(), '.ssh', name));
}

/** As autopkgtest-virt-ssh: a file of that name holds the password, else it is the password. */
function passwordOf(text: string): string {
  try {
    return readFileSync(text, 'utf8').trim();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES') return text;
    throw new BackendError('no-password', `the file with the password cannot be read: ${message}`);
  }
}

/** Who logs in where nobody is named: this user, as ssh(1) has it. @throws BackendError `no-such-user` */
function ownLogin(): string {
  const { name, listed } = ownAccount();
  if (listed) return name;
  const remedy = 'give --login NAME, as whom to log in there';
  throw new BackendError('no-such-user', `uid ${name}, as which trundle runs, is nobody's here`, { remedy });
}

function capabilitiesOf({ capability, reboot, login = ownAccount().name }: SshOptions): Capability[] {
  const all: Capability[] = [...capability];
  if (reboot) all.push('reboot');
  if (login === 'root') all.push('root-on-testbed');
  return [...new Set(all)];
}

function readKnownHosts(file: string, mustExist: boolean): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (!mustExist && (error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new BackendError('no-known-hosts', `${file} cannot be read: ${(error as Error).message}`);
  }
}
