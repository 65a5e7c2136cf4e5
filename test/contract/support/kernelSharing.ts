import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configureBackend } from '../../../src/backends/index.ts';
import type { Capability } from '../../../src/events/index.ts';
import { defineChroot, unpackedImage } from '../../support/chroots.ts';
import { bootableImage, IMAGE_USER } from '../../support/images.ts';
import type { Need } from '../../support/needs.ts';
import type { BackendUnderTest, Group, Preparation } from './backends.ts';

const CHROOT: readonly Need[] = ['root', 'unshare', 'overlay', 'tar', 'mmdebstrap'];
const NSPAWN: readonly Need[] = ['root', 'systemd-nspawn', 'unshare', 'overlay', 'tar', 'mmdebstrap'];
const LXC: readonly Need[] = ['root', 'lxc-start', 'unshare', 'overlay', 'tar', 'mmdebstrap'];
const SCHROOT: readonly Need[] = ['root', 'schroot', 'overlay', 'tar', 'mmdebstrap'];
const WITHOUT_INIT: readonly Capability[] = ['root-on-testbed', 'revert', 'revert-full-system'];

/** chroot on a directory, schroot, nspawn and lxc as the contract suite runs them. */
export const KERNEL_SHARING: readonly BackendUnderTest[] = [
  {
    ...alike('images', CHROOT, ['root-on-testbed']),
    name: 'chroot of a directory, by its sshd',
    server: 'sshd',
    pty: [],
    // What is inside is as with a tarball; whose files those are, and what becomes of them, is not.
    spared: ['concurrency', 'descriptors'],
    prepare: chroot,
  },
  {
    ...alike('images', SCHROOT, ['root-on-testbed', 'revert']),
    name: 'schroot, by its sshd',
    server: 'sshd',
    pty: [],
    prepare: () => schroot('login'),
  },
  {
    ...alike('images', SCHROOT, ['root-on-testbed', 'revert']),
    name: 'schroot, by the stand-in',
    server: 'stand-in',
    pty: ['node-pty'],
    prepare: () => schroot('stand-in'),
  },
  {
    ...alike('nspawnAndLxc', NSPAWN, WITHOUT_INIT),
    name: 'nspawn, held by a shell',
    server: 'stand-in',
    pty: ['node-pty'],
    prepare: () => nspawn('--session=stand-in'),
  },
  {
    ...alike('nspawnAndLxc', NSPAWN, [...WITHOUT_INIT, 'reboot', 'isolation-container']),
    name: 'nspawn, with an init',
    server: 'sshd',
    pty: [],
    prepare: () => nspawn('--boot', '--session=login'),
  },
  {
    ...alike('nspawnAndLxc', LXC, [...WITHOUT_INIT, 'isolation-container', 'reboot']),
    name: 'lxc',
    server: 'sshd',
    pty: [],
    prepare: () => lxc('login'),
  },
  {
    ...alike('nspawnAndLxc', LXC, [...WITHOUT_INIT, 'isolation-container', 'reboot']),
    name: 'lxc, by the stand-in',
    server: 'stand-in',
    pty: ['node-pty'],
    // How its container comes, boots and goes does not depend on who answers in it.
    spared: ['abort', 'reboots of tests'],
    prepare: () => lxc('stand-in'),
  },
];

function alike(group: Group, needs: readonly Need[], capabilities: readonly Capability[]) {
  return { group, needs, capabilities, ordinary: [], login: 'root', contained: true };
}

async function nspawn(...options: string[]): Promise<Preparation> {
  return {
    backend: await configureBackend(['nspawn', ...options, bootableImage()]),
    ordinary: IMAGE_USER,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function lxc(session: string): Promise<Preparation> {
  return {
    backend: await configureBackend(['lxc', '--session', session, unpackedImage(bootableImage())]),
    ordinary: IMAGE_USER,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A directory that may be written to. It is a layer over an image, which is sooner made than a copy. */
async function chroot(): Promise<Preparation> {
  const place = mkdtempSync(join(tmpdir(), 'trundle-chroot-'));
  const at = (name: string) => join(place, name);
  for (const name of ['upper', 'work', 'root']) mkdirSync(at(name));
  const layers = `lowerdir=${unpackedImage(bootableImage())},upperdir=${at('upper')},workdir=${at('work')}`;
  execFileSync('mount', ['-t', 'overlay', '-o', layers, 'overlay', at('root')]);
  return {
    backend: await configureBackend(['chroot', at('root'), '--session', 'login']),
    ordinary: IMAGE_USER,
    async [Symbol.asyncDispose]() {
      execFileSync('umount', [at('root')]);
      rmSync(place, { recursive: true, force: true });
    },
  };
}

/** A chroot whose sessions are overlays on an image that was unpacked before. */
async function schroot(session: string): Promise<Preparation> {
  const root = unpackedImage(bootableImage());
  const chroot = defineChroot(() => ({ type: 'directory', directory: root, 'union-type': 'overlay' }));
  return {
    backend: await configureBackend(['schroot', chroot.name, '--session', session]),
    ordinary: IMAGE_USER,
    async [Symbol.asyncDispose]() {
      chroot[Symbol.dispose]();
    },
  };
}
