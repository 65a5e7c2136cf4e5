import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onOneProcessor } from '../src/backends/schroot/onOneProcessor.ts';
import { defineChroot, unpackedImage } from '../test/support/chroots.ts';
import { debianImage } from '../test/support/images.ts';
import { findProgram } from '../test/support/needs.ts';
import { makePackage } from '../test/support/packages.ts';
import { makePlace } from './account.ts';
import { type BenchOptions, byTurns } from './options.ts';
import type { BenchRow } from './row.ts';
import { virtServerComesAndGoes } from './virtServer.ts';
import { wallTime } from './wallTime.ts';

/**
 * Defines `prepare`, which puts the keys in `$keys` below `$root`, and `log_in`: OpenSSH's ssh to the sshd there, over a pipe.
 */
const LOG_IN = `set -e
prepare() {
  mkdir -p "$root/run/sshd"
  cp "$keys/host" "$root/run/host"
  cp "$keys/user.pub" "$root/run/user.pub"
}
log_in() {
  ssh -F none -i "$keys/user" -o UserKnownHostsFile="$keys/known" -o IdentitiesOnly=yes \\
    -o ProxyCommand="chroot $root /usr/sbin/sshd -i -h /run/host -o AuthorizedKeysFile=/run/user.pub -o StrictModes=no" \\
    "$@"
}
`;

/** A session of schroot(1), one command in it over SSH, and its end. What follows `$2` comes before schroot's words. */
const SCHROOT = `keys=$1 chroot=$2 session=$2-plain root=/run/schroot/mount/$2-plain
shift 2
${LOG_IN}
"$@" schroot --begin-session --chroot "$chroot" --session-name "$session"
status=0
prepare && log_in root@testbed true || status=$?
"$@" schroot --quiet --end-session --chroot "session:$session"
exit $status
`;

/** What one test on chroot cannot do without, in a single session: mounts of its own, a copied tree, the test, its removal. */
const ONE_TEST = `keys=$1 root=$2 package=$3
${LOG_IN}
mount -n --rbind "$root" "$root"
mount -n -t tmpfs dev "$root/dev"
for name in null zero full random urandom tty; do
  : >"$root/dev/$name"
  mount -n --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/pts"
mount -n -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
mount -n -t proc proc "$root/proc"
mount -n -t tmpfs run "$root/run"
prepare
tar -C "$package" -cf - . |
  log_in root@testbed 'mkdir /tmp/tree; cd /tmp/tree; tar -xf - && bash -lc debian/tests/passes && rm -rf /tmp/tree'
`;

/**
 * What the machine's own tools take to do the least that a testbed of Trundle's shape takes, with nothing of Trundle: where
 * they are above a target, the machine is too slow for it.
 */
export async function rows({ quick }: BenchOptions): Promise<BenchRow[]> {
  if (process.getuid?.() !== 0) throw new Error('not root: cannot enter a chroot');
  for (const program of ['autopkgtest', 'schroot', 'ssh', 'mmdebstrap']) {
    if (findProgram(program) === null)
      throw new Error(`no ${program} (apt-get install autopkgtest schroot openssh-client mmdebstrap)`);
  }
  const place = makePlace();
  const image = unpackedImage(debianImage());
  using chroot = defineChroot(() => ({ type: 'directory', directory: image, 'union-type': 'overlay' }));
  try {
    makeKeys(place);
    const rounds = quick ? 3 : 9;
    const root = join(place, 'root');
    execFileSync('cp', ['-a', '--reflink=auto', image, root]);
    const source = makePackage(place, { tests: { passes: 'exit 0' } });
    return [
      without(
        'schroot and OpenSSH alone, against autopkgtest-virt-schroot',
        await byTurns(
          rounds,
          () => wallTime('sh', ['-c', SCHROOT, 'sh', place, chroot.name, ...onOneProcessor(chroot.name)]),
          () => virtServerComesAndGoes(['autopkgtest-virt-schroot', chroot.name]),
        ),
      ),
      without(
        'node -e 0, mounts and OpenSSH alone, against one test on chroot',
        await byTurns(
          rounds,
          () => oneTest(place, root, source),
          () => wallTime('autopkgtest', ['-B', `${source}/`, '--', 'chroot', root]),
        ),
      ),
    ];
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function without(figure: string, figures: { ours: number; reference: number }): BenchRow {
  return { figure, ...figures, unit: 'ms', ratio: figures.ours / figures.reference, target: '', met: null };
}

function makeKeys(directory: string): void {
  for (const name of ['host', 'user'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, name)]);
  writeFileSync(join(directory, 'known'), `testbed ${readFileSync(join(directory, 'host.pub'), 'utf8')}`);
}

async function oneTest(keys: string, root: string, source: string): Promise<number> {
  const namespaces = ['--mount', '--propagation', 'slave', '--pid', '--fork', '--kill-child', '--ipc', '--uts'];
  const node = await wallTime(process.execPath, ['-e', '0']);
  return node + (await wallTime('unshare', [...namespaces, '--', 'sh', '-c', ONE_TEST, 'sh', keys, root, source]));
}
