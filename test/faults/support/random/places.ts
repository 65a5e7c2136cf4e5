import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { defineChroot } from '../../../support/chroots.ts';
import { scriptAt, startDocker } from '../../../support/containers.ts';
import { tinyImage, tinyRoot } from '../../../support/images.ts';
import { startInstanceDaemon } from '../../../support/lxd.ts';
import { findProgram, type Need } from '../../../support/needs.ts';
import { forThisTest, workplace } from '../../../support/workplace.ts';
import { bootable, type Change, PROVIDERS, type Provider, type ProviderKind } from '../providers.ts';
import { type SshServer, sessionEnvironment, startSshServer } from '../sshServer.ts';

/** A backend in whose testbeds faults happen. */
export interface Place {
  readonly name: string;
  readonly needs: readonly Need[];
  /** How many of the faults are its. */
  readonly share: number;
  /** Its words on the command line, for an image, with further options. */
  words(image: string, session?: 'login' | 'stand-in', ...options: string[]): readonly string[];
  /** Its image; null for what has none. */
  image: string | null;
  /** Makes a tarball that it would take; null where it takes none. */
  readonly tarball: ((file: string) => string) | null;
  /** Whether a process of this machine is its first, whose end is its end. */
  readonly init: boolean;
  /** Whether a signal that ended a command is told as such; else as 128 and its number, as a shell tells it. */
  readonly signals: boolean;
  /** Whether each verb takes a while. */
  readonly slow: boolean;
  /** Whether a run of the program on it is quick enough to be drawn: it is started, hit, and reaped. */
  readonly quick?: true;
  /** Whether it can be rebooted. */
  readonly reboots?: true;
  /** Whether it is a machine that is there anyway. Nothing of it is made or reverted. */
  readonly exists?: true;
  /** The same for an image that is spoilt, made in a directory. Absent where there are no images. */
  spoil?(directory: string, change: Change): string;
  /** Its words where another already has the name that its testbed is to have. */
  taken?(directory: string): readonly string[];
  /** Has somebody else end the testbed of a run. Absent where none could but by its first process. */
  kill?(run: string): void;
  /** The option that names its program, which may be missing. */
  readonly program?: true;
  /** Its words where its daemon does not run. */
  stopped?(directory: string): readonly string[];
  /** The same with a daemon of its own, for the running test. Absent where there is no daemon to die. */
  mortal?(): Promise<Mortal>;
  /** The environment by which an ordinary user's client finds its daemon. Absent where it has none. */
  env?(): Readonly<Record<string, string>>;
  /** Makes the image in a directory; what it gives goes away at the end. */
  make?(directory: string): Disposable | undefined | Promise<AsyncDisposable>;
  /** The testbeds of a run, as its own program tells of them. Absent where it has none. */
  standing?(run: string): string[];
}

/** A backend's words, and the end of the daemon that they name. */
export interface Mortal {
  readonly words: readonly string[];
  kill(): void | Promise<void>;
}

const IMAGE: readonly Need[] = ['root', 'unshare', 'busybox', 'tar', 'overlay', 'useradd'];

/** How many faults have those that take long to make. */
const SHARES: Readonly<Partial<Record<ProviderKind['name'], number>>> = { podman: 8, docker: 8, lxd: 5, incus: 5 };

/** The backends, cheap ones most. */
export const PLACES: readonly Place[] = [
  {
    name: 'null',
    needs: [],
    share: 30,
    words: (_image, _session, ...options) => ['null', ...options],
    exists: true,
    image: null,
    tarball: null,
    init: false,
    signals: true,
    slow: false,
  },
  realServer(),
  {
    quick: true,
    ...ofImage('unshare', 32, IMAGE),
    words: (image, session = 'stand-in', ...options) => [
      'unshare',
      '--tarball',
      image,
      '--session',
      session,
      ...options,
    ],
    make(directory) {
      this.image = tinyRoot(`${directory}/unshare`);
      return undefined;
    },
  },
  {
    quick: true,
    ...ofImage('chroot', 32, IMAGE),
    words: (image, session = 'stand-in', ...options) => ['chroot', image, '--session', session, ...options],
    make(directory) {
      this.image = tinyImage(`${directory}/chroot.tar`);
      return undefined;
    },
  },
  {
    ...ofImage('nspawn', 22, [...IMAGE, 'systemd-nspawn']),
    words: (image, session = 'stand-in', ...options) => ['nspawn', image, '--session', session, ...options],
    make(directory) {
      this.image = tinyRoot(`${directory}/nspawn`);
      return undefined;
    },
  },
  {
    ...ofImage('lxc', 14, [...IMAGE, 'lxc-start']),
    reboots: true,
    signals: false,
    tarball: (file) => tinyImage(file, bootable),
    words: (image, session = 'stand-in', ...options) => ['lxc', '--session', session, ...options, image],
    spoil: (directory, change) =>
      tinyImage(fresh(directory), (root) => {
        bootable(root);
        change(root);
      }),
    make(directory) {
      this.image = tinyImage(`${directory}/lxc.tar`, bootable);
      return undefined;
    },
  },
  {
    ...ofImage('schroot', 16, [...IMAGE, 'schroot']),
    tarball: null,
    // It is up, and its endpoint is there, when its session has been begun.
    slow: false,
    words: (image, session = 'stand-in', ...options) => ['schroot', image, '--session', session, ...options],
    spoil(directory, change) {
      const root = tinyRoot(join(directory, 'spoilt'));
      change(root);
      return forThisTest(chrootOf(root)).name;
    },
    taken() {
      const name = `${this.image}-taken`;
      execFileSync('schroot', ['--begin-session', '--chroot', this.image ?? '', '--session-name', name]);
      onTestFinished(() => void execFileSync('schroot', ['--end-session', '--chroot', name]));
      return this.words(this.image ?? '', 'stand-in', '--session-id', name);
    },
    make(directory) {
      const chroot = chrootOf(tinyRoot(`${directory}/schroot`));
      this.image = chroot.name;
      return chroot;
    },
  },
  ...PROVIDERS.flatMap((kind) => {
    const share = SHARES[kind.name];
    return share === undefined ? [] : [ofProvider(kind, share)];
  }),
];

function ofImage(name: string, share: number, needs: readonly Need[]) {
  const tarball = (file: string) => tinyImage(file);
  const spoil = (directory: string, change: Change) => tinyImage(fresh(directory), change);
  return { name, share, needs, image: '' as string | null, tarball, spoil, init: true, signals: true, slow: true };
}

function fresh(directory: string): string {
  return join(directory, 'spoilt.tar');
}

function chrootOf(directory: string) {
  return defineChroot(() => ({ type: 'directory', directory, 'union-type': 'overlay' }));
}

/** This machine by a real sshd: what OpenSSH answers, no stand-in does. */
function realServer(): Place {
  let server: SshServer | undefined;
  return {
    name: 'ssh',
    needs: ['sshd', 'root'],
    share: 30,
    exists: true,
    image: null,
    tarball: null,
    init: false,
    signals: true,
    slow: false,
    words(_image, _session, ...options) {
      if (server === undefined) throw new Error('the server was not made');
      return [...wordsTo(server), ...options];
    },
    kill: () => server?.killSessions(),
    async mortal() {
      const own = forThisTest(await startSshServer([sessionEnvironment()]));
      return { words: wordsTo(own), kill: own.kill };
    },
    async make() {
      server = await startSshServer([sessionEnvironment()]);
      return server;
    },
  };
}

function wordsTo({ address, identity, hostKey, login }: SshServer): string[] {
  const way = ['--hostname', address.host, '--port', String(address.port), '--host-key', hostKey];
  return ['ssh', ...way, '--identity', identity, '--no-agent', '--login', login];
}

/** The daemon of a place that dies: that of the other faults has to stay. */
async function mortalOf(name: 'docker' | 'lxd' | 'incus'): Promise<Mortal> {
  const daemon = forThisTest(await (name === 'docker' ? startDocker() : startInstanceDaemon(name)));
  const image = daemon.image(tinyImage(join(workplace(), 'image.tar'), name === 'docker' ? undefined : bootable));
  return { words: [name, '--program', daemon.program, '--session', 'stand-in', image], kill: daemon.kill };
}

/** A place whose images its own program keeps; the first process of this machine is a client, or none. */
function ofProvider({ name, needs, make }: ProviderKind, share: number): Place {
  let provider: Provider | undefined;
  const instances = name === 'lxd' || name === 'incus';
  return {
    ...ofImage(name, share, [...needs, 'useradd']),
    tarball: null,
    init: false,
    signals: false,
    words: (image, session = 'stand-in', ...options) =>
      provider?.words(image, '--session', session, ...options) ?? [name, image],
    spoil: (_directory, change) => provider?.image(change) ?? '',
    program: true,
    ...(instances ? { reboots: true as const } : {}),
    kill(run) {
      const [testbed = ''] = provider?.testbeds?.(run) ?? [];
      provider?.run?.(instances ? 'delete' : 'kill', ...(instances ? ['--force'] : []), testbed);
    },
    async make() {
      provider = await make();
      this.image = provider.image();
      return provider;
    },
    ...(name === 'podman'
      ? {}
      : {
          stopped(directory: string) {
            const nowhere = `DOCKER_HOST=unix://${directory}/socket LXD_DIR=${directory} INCUS_DIR=${directory}`;
            const client = { docker: 'docker', lxd: 'lxc', incus: 'incus' }[name as 'docker'];
            const program = scriptAt(join(directory, client), `export ${nowhere}\nexec ${findProgram(client)} "$@"`);
            return [name, '--program', program, this.image ?? ''];
          },
        }),
    ...(name === 'docker' || name === 'lxd' || name === 'incus' ? { mortal: () => mortalOf(name) } : {}),
    env: () => provider?.env ?? {},
    standing: (run) => provider?.testbeds?.(run) ?? [],
  };
}
