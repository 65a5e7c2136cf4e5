import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { defineChroot } from '../../support/chroots.ts';
import { type ContainerProgram, keptDocker, rootPodman } from '../../support/containers.ts';
import { tinyImage, tinyRoot } from '../../support/images.ts';
import { startInstanceDaemon } from '../../support/lxd.ts';
import type { Need } from '../../support/needs.ts';

/** Changes a root file system before an image is made of it. */
export type Change = (root: string) => void;

/** A provider of testbeds, made ready on this machine, whose images can be spoilt. */
export interface Provider extends AsyncDisposable {
  /** Its words on the command line for an image, options of the backend's own after it. */
  words(image: string, ...options: string[]): string[];
  /** An image of next to nothing, with what its testbeds need to run; spoilt by `change`. */
  image(change?: Change): string;
  /** Removes what somebody outside could remove: the container or instance of a run. Absent where there is none. */
  run?(...args: string[]): string;
  /** The environment by which anybody's client finds its daemon. Absent where it has none. */
  readonly env?: Readonly<Record<string, string>>;
  /** The testbeds of a run that its own program tells of; others may use it too. Absent where it keeps none. */
  testbeds?(run: string): string[];
}

/** A kind of provider: one for each backend that shares the host's kernel. */
export interface ProviderKind {
  readonly name: 'chroot' | 'unshare' | 'nspawn' | 'lxc' | 'schroot' | 'podman' | 'docker' | 'lxd' | 'incus';
  readonly needs: readonly Need[];
  make(): Promise<Provider>;
}

const FILES: readonly Need[] = ['root', 'unshare', 'busybox', 'tar', 'overlay'];

/** The backends that share the host's kernel, each with its real program. */
export const PROVIDERS: readonly ProviderKind[] = [
  { name: 'chroot', needs: FILES, make: () => ofTarballs((image, ...options) => ['chroot', ...options, image]) },
  {
    name: 'unshare',
    needs: FILES,
    make: () => ofTarballs((image, ...options) => ['unshare', ...options, '--tarball', image]),
  },
  {
    name: 'nspawn',
    needs: [...FILES, 'systemd-nspawn'],
    make: () => ofTarballs((image, ...options) => ['nspawn', ...options, image]),
  },
  {
    name: 'lxc',
    needs: [...FILES, 'lxc-start'],
    make: () => ofTarballs((image, ...options) => ['lxc', ...options, image], bootable),
  },
  { name: 'schroot', needs: [...FILES, 'schroot'], make: ofChroots },
  {
    name: 'podman',
    needs: ['root', 'podman', 'runc', 'busybox', 'tar'],
    make: () => ofContainers('podman', rootPodman()),
  },
  {
    name: 'docker',
    needs: ['root', 'dockerd', 'pid-namespace', 'busybox', 'tar'],
    make: async () => ofContainers('docker', await keptDocker()),
  },
  { name: 'lxd', needs: ['root', 'lxd', 'pid-namespace', 'busybox', 'tar'], make: () => ofInstances('lxd') },
  { name: 'incus', needs: ['root', 'incus', 'pid-namespace', 'busybox', 'tar'], make: () => ofInstances('incus') },
];

/** What an init that is busybox's is taken for: nobody asks it for its runlevel, which it has none of. */
export const bootable: Change = (root) => {
  mkdirSync(join(root, 'sbin'), { recursive: true });
  symlinkSync('../bin/busybox', join(root, 'sbin/init'));
  rmSync(join(root, 'bin/runlevel'), { force: true });
};

async function ofTarballs(words: Provider['words'], always?: Change): Promise<Provider> {
  const { next, remove } = files();
  return {
    words,
    image: (change) => tinyImage(next('.tar'), both(always, change)),
    [Symbol.asyncDispose]: async () => remove(),
  };
}

async function ofChroots(): Promise<Provider> {
  const { next, remove } = files();
  const chroots: Disposable[] = [];
  return {
    words: (chroot, ...options) => ['schroot', ...options, chroot],
    image(change = () => {}) {
      const root = tinyRoot(next(''));
      change(root);
      const chroot = defineChroot(() => ({ type: 'directory', directory: root, 'union-type': 'overlay' }));
      chroots.push(chroot);
      return chroot.name;
    },
    async [Symbol.asyncDispose]() {
      for (const chroot of chroots) chroot[Symbol.dispose]();
      remove();
    },
  };
}

async function ofContainers(name: 'podman' | 'docker', program: ContainerProgram): Promise<Provider> {
  const { next, remove } = files();
  return {
    words: (image, ...options) => [name, '--program', program.program, ...options, image],
    image: (change) => program.image(tinyImage(next('.tar'), change)),
    run: program.run,
    env: socketOf(program.program),
    testbeds: (run) => namesOf(run, program.run('ps', '--all', '--format', '{{.Names}}')),
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      remove();
    },
  };
}

async function ofInstances(kind: 'lxd' | 'incus'): Promise<Provider> {
  const daemon = await startInstanceDaemon(kind);
  const { next, remove } = files();
  return {
    words: (image, ...options) => [kind, '--program', daemon.program, ...options, image],
    image: (change) => daemon.image(tinyImage(next('.tar'), both(bootable, change))),
    run: daemon.run,
    env: { LXD_DIR: daemon.directory, INCUS_DIR: daemon.directory },
    testbeds: (run) => namesOf(run, daemon.run('list', '--format=csv', '--columns=n')),
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      remove();
    },
  };
}

/** Docker's socket is beside its program here; everybody may see it, though not all may speak to it. */
function socketOf(program: string): Record<string, string> {
  chmodSync(dirname(program), 0o755);
  return { DOCKER_HOST: `unix://${join(dirname(program), 'socket')}` };
}

/** Those of names, one a line, that a run has given. */
function namesOf(run: string, names: string): string[] {
  return names.split('\n').filter((name) => name.includes(run));
}

/** One change after the other; none where there is none of them. */
function both(first?: Change, second?: Change): Change | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return (root) => {
    first(root);
    second(root);
  };
}

/** A directory, and a name in it for each file. */
function files(): { next(suffix: string): string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'trundle-provider-'));
  let made = 0;
  return {
    next(suffix) {
      made += 1;
      return join(directory, `image-${made}${suffix}`);
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
