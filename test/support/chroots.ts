import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/** Where schroot(1) reads what chroots there are. */
const CONFIGURATION = '/etc/schroot/chroot.d';

/** What sessions see of this machine. */
const BINDS = ['/proc', '/sys', '/dev', '/dev/pts'];

/** A chroot that schroot knows for the length of a test. */
export interface Chroot extends Disposable {
  readonly name: string;
  /** A directory for its files, readable by all. */
  readonly directory: string;
  /** Sessions of it, by their ids. */
  sessions(): string[];
}

/** Keys of schroot.conf(5) and their values. */
export type ChrootKeys = Readonly<Record<string, string>>;

/**
 * Makes a chroot known by a file of its own. Its sessions keep the accounts of the image, and see nothing of this
 * machine's /home and /tmp, unless other keys are given. Takes root.
 * @param keys given a directory for its files
 */
export function defineChroot(keys: (directory: string) => ChrootKeys): Chroot {
  const name = `trundle-test-${randomBytes(4).toString('hex')}`;
  const directory = mkdtempSync(join(tmpdir(), 'trundle-chroot-'));
  const file = join(CONFIGURATION, name);
  const remove = () => {
    rmSync(file, { force: true });
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const fstab = join(directory, 'fstab');
    writeFileSync(fstab, BINDS.map((path) => `${path} ${path} none rw,bind 0 0\n`).join(''));
    const all = { 'setup.fstab': relative('/etc/schroot', fstab), 'setup.nssdatabases': '', ...keys(directory) };
    const lines = Object.entries(all).map(([key, value]) => `${key}=${value}`);
    mkdirSync(CONFIGURATION, { recursive: true });
    writeFileSync(file, [`[${name}]`, ...lines, ''].join('\n'));
  } catch (error) {
    remove();
    throw error;
  }
  return {
    name,
    directory,
    sessions: () => sessionsOf(name),
    [Symbol.dispose]: remove,
  };
}

/** The sessions that were begun of a chroot, as schroot tells. */
function sessionsOf(chroot: string): string[] {
  const schroot = (...args: string[]) => spawnSync('schroot', args, { encoding: 'utf8' }).stdout ?? '';
  const all = schroot('--list', '--all-sessions').split('\n');
  return all.filter((session) => session !== '' && schroot('--info', '--chroot', session).includes(chroot));
}

/**
 * The directory that a tarball was unpacked to beside it, for chroots whose sessions are overlays: nobody writes there.
 * It is unpacked by the first that asks, and kept for as long as the tarball is the same.
 */
export function unpackedImage(tarball: string): string {
  const root = `${tarball}.root`;
  const script = `[ "$2" -nt "$1" ] && exit 0
rm -rf "$2" "$2.new" && mkdir "$2.new" && tar -C "$2.new" --numeric-owner -xpf "$1" && touch "$2.new" && mv "$2.new" "$2"`;
  execFileSync('flock', [`${tarball}.root.lock`, 'sh', '-c', script, 'sh', tarball, root], { stdio: 'inherit' });
  return root;
}

/**
 * The same directory again, in links to its files, where apt has no lists of the archive: it knows what is installed, and what
 * it is given. To read the archive's lists takes seconds each time that apt is given something.
 */
export function withoutLists(image: string): string {
  const bare = `${image}.without-lists`;
  const script = `[ "$2" -nt "$1" ] && exit 0
rm -rf "$2" "$2.new" && cp -al "$1" "$2.new" && rm -rf "$2.new"/var/lib/apt/lists/*_* "$2.new"/var/cache/apt/*.bin &&
touch "$2.new" && mv "$2.new" "$2"`;
  execFileSync('flock', [`${bare}.lock`, 'sh', '-c', script, 'sh', image, bare], { stdio: 'inherit' });
  return bare;
}
