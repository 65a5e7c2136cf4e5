import { userInfo } from 'node:os';
import { type ConfiguredBackend, configureBackend } from '../../../src/backends/index.ts';
import type { Capability } from '../../../src/events/index.ts';
import { startSshServer } from '../../faults/support/sshServer.ts';
import { makeProject } from '../../support/examples.ts';
import { debianImage } from '../../support/images.ts';
import type { Need } from '../../support/needs.ts';
import { makeOrdinaryUser } from '../../support/ordinaryUser.ts';
import { CONTAINERS, CONTAINERS_BY_STAND_IN } from './containers.ts';
import { makeInetdServer } from './inetdServer.ts';
import { KERNEL_SHARING } from './kernelSharing.ts';
import { UNSHARE_ORDINARY } from './unshareOrdinary.ts';

/** What a backend must have been given before it can be opened. All of it goes away again. */
export interface Preparation extends AsyncDisposable {
  readonly backend: ConfiguredBackend;
  /** An ordinary user of the testbed; null where none could be made on this machine. */
  readonly ordinary: string | null;
}

/**
 * Which file of tests a backend is in. Those of `ordinary` are opened by an ordinary user's process; all others by whoever
 * runs the tests, who may be root.
 */
export type Group = 'thisMachine' | 'images' | 'nspawnAndLxc' | 'podman' | 'docker' | 'lxdAndIncus' | 'ordinary';

/** A backend as the contract suite runs it. */
export interface BackendUnderTest {
  /** As it stands in the name of its tests. */
  readonly name: string;
  readonly group: Group;
  /** What the machine must have for any of its tests. */
  readonly needs: readonly Need[];
  /** What it must have, besides, for a testbed with an ordinary user; null where a testbed can have none. */
  readonly ordinary: readonly Need[] | null;
  /** What it must have, besides, for a terminal. */
  readonly pty: readonly Need[];
  /** Which SSH server answers. */
  readonly server: 'sshd' | 'stand-in';
  /** Exactly what the testbed can do, before it is opened and afterwards. */
  readonly capabilities: readonly Capability[];
  /** Whom a command runs as that names nobody. */
  readonly login: string;
  /** Whether everything that was ever started in a testbed, daemons too, dies with it. */
  readonly contained: boolean;
  /** Parts of the contract that it is spared, since they would show what those of its kin show. */
  readonly spared?: readonly string[];
  /** Makes what it needs on this machine. */
  prepare(): Promise<Preparation>;
}

const me = userInfo().username;
const isRoot = process.getuid?.() === 0;
const ofRoot: readonly Capability[] = isRoot ? ['root-on-testbed'] : [];

/**
 * Every backend that the suite runs, one entry each. A backend with several ways to its testbed, or several options
 * that matter, has an entry for each.
 */
export const BACKENDS: readonly BackendUnderTest[] = [
  {
    name: 'null',
    group: 'thisMachine',
    needs: [],
    ordinary: ['root', 'useradd'],
    pty: ['node-pty'],
    server: 'stand-in',
    capabilities: ofRoot,
    login: me,
    contained: false,
    prepare: () => prepared([], async () => ['null']),
  },
  {
    name: 'chroot of a tarball, by its sshd',
    ...ofImage('sshd'),
    // The image has root only, and nothing is added to it.
    ordinary: null,
    prepare: () => imagePrepared(['chroot', debianImage(), '--session', 'login'], null),
  },
  {
    name: 'unshare as root, by the stand-in',
    ...ofImage('stand-in'),
    ordinary: [],
    prepare: () => imagePrepared(['unshare', '--tarball', debianImage(), '--session', 'stand-in'], 'unshare'),
  },
  ...UNSHARE_ORDINARY,
  {
    name: 'ssh over TCP',
    ...sshd(),
    prepare: async () => {
      const server = await startSshServer();
      const { address, hostKey, identity } = server;
      const way = ['--hostname', address.host, '--port', String(address.port)];
      return prepared([server], async () => ['ssh', ...way, ...loginWords(identity, hostKey)]);
    },
  },
  {
    name: 'ssh over a Unix socket',
    ...sshd(),
    prepare: async () => {
      const server = await makeInetdServer();
      const { identity, hostKey } = server;
      return prepared([server], async () => [
        'ssh',
        '--socket',
        await server.listen(),
        ...loginWords(identity, hostKey),
      ]);
    },
  },
  {
    name: 'ssh through a process',
    ...sshd(),
    prepare: async () => {
      const server = await makeInetdServer();
      const { argv, identity, hostKey } = server;
      return prepared([server], async () => ['ssh', '--command', argv.join(' '), ...loginWords(identity, hostKey)]);
    },
  },
  {
    name: 'a third party: examples/trundle-backend-overlay',
    group: 'thisMachine',
    needs: ['sshd', 'root', 'overlay', 'useradd'],
    ordinary: ['root', 'useradd'],
    pty: [],
    server: 'sshd',
    capabilities: ['root-on-testbed', 'revert'],
    login: 'root',
    contained: true,
    prepare: () => {
      const project = makeProject();
      project.add('trundle-backend-overlay', 'node_modules/trundle-backend-overlay');
      return prepared([project], async () => ['overlay'], project.directory);
    },
  },
  ...CONTAINERS,
  ...KERNEL_SHARING,
];

/** Those, and the same by another server. */
export const EVERY_BACKEND: readonly BackendUnderTest[] = [...BACKENDS, ...CONTAINERS_BY_STAND_IN];

/** What is the same of every testbed that root makes from an image. */
function ofImage(server: 'sshd' | 'stand-in') {
  const pty: readonly Need[] = server === 'sshd' ? [] : ['node-pty'];
  const capabilities: readonly Capability[] = ['root-on-testbed', 'revert', 'revert-full-system'];
  const needs: readonly Need[] = ['root', 'unshare', 'tar', 'mmdebstrap'];
  return { group: 'images', needs, pty, server, capabilities, login: 'root', contained: true } as const;
}

async function imagePrepared(words: string[], ordinary: string | null): Promise<Preparation> {
  return { backend: await configureBackend(words), ordinary, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** What is the same of every testbed that is this machine behind a real sshd. */
function sshd() {
  return {
    group: 'thisMachine',
    needs: ['sshd'],
    ordinary: ['root', 'useradd'],
    pty: [],
    server: 'sshd',
    capabilities: ofRoot,
    login: me,
    contained: false,
  } as const;
}

function loginWords(identity: string, hostKey: string): string[] {
  return ['--identity', identity, '--no-agent', '--host-key', hostKey];
}

/** A backend by its command line, on this machine's own accounts. */
async function prepared(
  things: readonly (AsyncDisposable | Disposable)[],
  words: () => Promise<string[]>,
  cwd: string = process.cwd(),
): Promise<Preparation> {
  const user = isRoot ? makeOrdinaryUser() : null;
  const all = [...things, ...(user === null ? [] : [user])];
  const options = user === null ? [] : ['--normal-user', user.login];
  return {
    backend: await configureBackend([...(await words()), ...options], { cwd }),
    ordinary: user?.login ?? null,
    async [Symbol.asyncDispose]() {
      for (const thing of all) {
        if (Symbol.asyncDispose in thing) await thing[Symbol.asyncDispose]();
        else thing[Symbol.dispose]();
      }
    },
  };
}
