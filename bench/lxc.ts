import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { unpackedImage } from '../test/support/chroots.ts';
import { bootableImage } from '../test/support/images.ts';
import { findProgram } from '../test/support/needs.ts';
import { makePlace } from './account.ts';
import { comeAndGo } from './comeAndGo.ts';
import type { BenchOptions } from './options.ts';
import type { BenchRow } from './row.ts';

const TEMPLATE = 'template';

/**
 * The reference knows one directory of containers, and leaves the rest to the cgroups of this machine, on which an init
 * may not come up: so it has the directory of $1 in that place, and cgroup v2.
 */
const VIEW = `set -e
[ -e /sys/fs/cgroup/cgroup.controllers ] || { umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; }
mount --bind "$1" "$(lxc-config lxc.lxcpath)"
echo ready
read -r _`;

/** How fast a container of LXC comes, obeys and goes, against Debian's program for the same: both with an overlay. */
export async function rows({ quick }: BenchOptions): Promise<BenchRow[]> {
  if (process.getuid?.() !== 0) throw new Error('not root: cannot start a container');
  for (const program of ['lxc-copy', 'autopkgtest-virt-lxc', 'mmdebstrap', 'nsenter'])
    if (findProgram(program) === null) throw new Error(`no ${program} (apt-get install lxc autopkgtest mmdebstrap)`);
  const place = makePlace();
  try {
    makeTemplate(place);
    await using view = await openView(place);
    const words = ['lxc', '--ephemeral', '--lxcpath', place];
    const each = {
      reference: ['autopkgtest-virt-lxc', '--ephemeral', TEMPLATE],
      rounds: quick ? 1 : 5,
      target: 1,
      within: view.within,
    };
    const standIn = [...words, '--session=stand-in', TEMPLATE];
    return [
      await comeAndGo({ name: 'lxc, by its sshd', ours: [...words, TEMPLATE], ...each }),
      await comeAndGo({ name: 'lxc, by the stand-in', ours: standIn, ...each }),
    ];
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** A container that both copy. */
function makeTemplate(lxcpath: string): void {
  const rootfs = join(lxcpath, TEMPLATE, 'rootfs');
  mkdirSync(join(lxcpath, TEMPLATE));
  execFileSync('cp', ['-a', '--reflink=auto', unpackedImage(bootableImage()), rootfs]);
  const config = {
    include: '/usr/share/lxc/config/common.conf',
    'apparmor.profile': 'unconfined',
    'net.0.type': 'empty',
    'uts.name': TEMPLATE,
    'rootfs.path': `dir:${rootfs}`,
  };
  const lines = Object.entries(config).map(([key, value]) => `lxc.${key} = ${value}\n`);
  writeFileSync(join(lxcpath, TEMPLATE, 'config'), lines.join(''));
}

/** The reference's view of this machine; `within` is the prefix of what is to have it. */
async function openView(lxcpath: string): Promise<AsyncDisposable & { within: readonly string[] }> {
  const argv = ['--mount', '--propagation', 'private', 'sh', '-c', VIEW, 'sh', lxcpath];
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn('unshare', argv, {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const ready = once(child.stdout, 'data');
  await Promise.race([ready, exited.then(() => Promise.reject(new Error('no view of cgroup v2 could be mounted')))]);
  return {
    within: ['nsenter', `--mount=/proc/${child.pid}/ns/mnt`, '--'],
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exited;
    },
  };
}
