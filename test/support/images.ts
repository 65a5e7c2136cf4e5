import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './needs.ts';

/** Milliseconds that a hook may wait for an image: it is made by the first that asks, and kept. */
export const IMAGE_PATIENCE = 600_000;

/** Packages of a Debian with an OpenSSH server; what tests take for an ordinary image. */
const PACKAGES = ['openssh-server'];

/** Packages of a Debian that boots, and in which a login is a session of logind. */
const BOOTABLE = ['openssh-server', 'systemd-sysv', 'dbus', 'dbus-user-session', 'libpam-systemd', 'sudo'];

/** What packages are built with, and what autopkgtest needs for its index of local ones. */
const BUILDING = ['openssh-server', 'build-essential', 'fakeroot', 'apt-utils', 'git'];

/** The ordinary account of a {@link bootableImage}. */
export const IMAGE_USER = 'user';

/** Where images are kept between runs, out of the project. Root's are where other users can read them. */
export function imageDirectory(): string {
  const { TRUNDLE_TEST_IMAGES: given, XDG_CACHE_HOME: cache } = process.env;
  const own = process.getuid?.() === 0 ? '/var/cache' : (cache ?? join(homedir(), '.cache'));
  const path = given ?? join(own, 'trundle-test-images');
  mkdirSync(path, { recursive: true, mode: 0o755 });
  return path;
}

/** A tarball of a small Debian with an sshd, made by mmdebstrap(1) from this machine's apt sources. */
export function debianImage(): string {
  return debian(PACKAGES.join('-'), PACKAGES);
}

/** A tarball of a Debian with systemd, logind, an sshd, sudo, and the account {@link IMAGE_USER}. */
export function bootableImage(): string {
  const account = `useradd --create-home --shell /bin/bash --uid 1000 --password '*' ${IMAGE_USER}`;
  return debian('bootable', BOOTABLE, [`--customize-hook=chroot "$1" ${account}`]);
}

/** A tarball of a Debian in which packages of the archive can be fetched, built and installed, with {@link IMAGE_USER}. */
export function packagesImage(): string {
  const account = `useradd --create-home --shell /bin/bash --uid 1000 --password '*' ${IMAGE_USER}`;
  // apt's own cache is kept: to make it takes apt seconds, in every session anew.
  const options = [
    '--skip=cleanup/apt/lists,cleanup/apt/cache',
    `--customize-hook=chroot "$1" ${account}`,
    '--customize-hook=chroot "$1" sh -ec "apt-get clean; apt-cache gencaches"',
  ];
  return debian('packages', BUILDING, options, ['deb', 'deb-src']);
}

/** Makes an image once: whoever asks at the same time waits. */
function debian(
  name: string,
  packages: readonly string[],
  options: readonly string[] = [],
  types: readonly string[] = ['deb'],
): string {
  const release = codename();
  const file = join(imageDirectory(), `debian-${release}-${name}.tar`);
  if (existsSync(file)) return file;
  const fresh = `${file}.new`;
  const mirror = mirrorOf(release);
  const words = [
    '--variant=minbase',
    '--format=tar',
    `--include=${packages.join(',')}`,
    ...options,
    release,
    fresh,
    ...(mirror === null ? [] : types.map((type) => `${type} ${mirror}`)),
  ];
  // Whoever had the lock before may have made it.
  const script = 'file=$1; fresh=$2; shift 2; [ -e "$file" ] || { "$@" && mv "$fresh" "$file"; }';
  const command = ['sh', '-c', script, 'sh', file, fresh, 'mmdebstrap', ...words];
  const made = spawnSync('flock', [`${file}.lock`, ...command], { encoding: 'utf8', timeout: IMAGE_PATIENCE });
  if (made.status !== 0)
    throw new Error(`mmdebstrap ${words.join(' ')} failed:\n${made.stderr}${made.error?.message ?? ''}`);
  return file;
}

/** The names by which busybox(1) is called; asked once. */
let applets: readonly string[] | null = null;

/** A directory with a root file system that has nothing but busybox(1), root, and an ordinary user. Made in a moment. */
export function tinyRoot(path: string): string {
  const busybox = findProgram('busybox');
  if (busybox === null) throw new Error('there is no busybox');
  for (const name of ['bin', 'dev', 'etc', 'home/user', 'proc', 'root', 'run', 'sys', 'tmp', 'usr', 'var'])
    mkdirSync(join(path, name), { recursive: true });
  cpSync(busybox, join(path, 'bin/busybox'));
  applets ??= execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const name of applets) if (name !== 'busybox') symlinkSync('busybox', join(path, 'bin', name));
  writeFileSync(join(path, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n');
  writeFileSync(join(path, 'etc/group'), 'root:x:0:\nuser:x:1000:\n');
  writeFileSync(join(path, 'etc/hostname'), 'tiny\n');
  return path;
}

/** The tarball of an unchanged {@link tinyRoot}: it is packed once, and written as often as it is asked for. */
let unchanged: Buffer | null = null;

/** A tarball of {@link tinyRoot}, changed by `change` before it is packed. */
export function tinyImage(file: string, change?: (root: string) => void): string {
  if (change === undefined) {
    unchanged ??= readFileSync(packed(file));
    writeFileSync(`${file}.new`, unchanged);
    renameSync(`${file}.new`, file);
    return file;
  }
  return packed(file, change);
}

function packed(file: string, change: (root: string) => void = () => {}): string {
  const root = mkdtempSync(join(tmpdir(), 'trundle-tiny-'));
  try {
    change(tinyRoot(root));
    execFileSync('tar', ['--create', '--file', `${file}.new`, '--directory', root, '.']);
    renameSync(`${file}.new`, file);
    return file;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function codename(): string {
  const release = /^VERSION_CODENAME=(\S+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  return release ?? 'stable';
}

/** The place that this machine's apt takes the release from; null where mmdebstrap shall know by itself. */
function mirrorOf(release: string): string | null {
  const format = '$(REPO_URI) $(CODENAME) $(ORIGIN)';
  const targets = spawnSync('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], {
    encoding: 'utf8',
  });
  const line = targets.stdout?.split('\n').find((each) => each.endsWith(` ${release} Debian`));
  const [uri] = line?.split(' ') ?? [];
  return uri === undefined ? null : `${uri} ${release} main`;
}
