import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { BadPackageError } from '../errors.ts';
import type { Steps } from '../session/Steps.ts';
import type { Apt } from './Apt.ts';
import type { InstalledPackages } from './installedPackages.ts';

/** apt's view of the local packages: one file each for its sources and preferences. */
const SOURCES = '/etc/apt/sources.list.d/autopkgtest.list';
const PREFERENCES = '/etc/apt/preferences.d/90autopkgtest';

/**
 * An index of the debs in `$1`, as apt-ftparchive(1) would write it: with it the testbed needs no apt-utils. A package
 * from there wins over any other, also over a newer one.
 */
const PUBLISH = `set -e
cd "$1"
for deb in *.deb; do
  dpkg-deb --field "$deb" | sed '/^$/d'
  printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' \\
    "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d ' ' -f 1)"
done >Packages
printf 'Date: %s\\nSHA256:\\n %s %s Packages\\n' "$(LC_ALL=C date -Ru)" "$(sha256sum Packages | cut -d ' ' -f 1)" "$(stat -c %s Packages)" >Release
chmod -R a+rX .
mkdir -p /etc/apt/preferences.d /etc/apt/sources.list.d
printf 'Package: *\\nPin: origin ""\\nPin-Priority: 1002\\n' >"$2"
printf 'deb [ trusted=yes ] file://%s /\\n' "$1" >"$3"`;

/** What a repository needs of a testbed. It is asked for anew after each revert. */
export interface Publisher {
  readonly steps: Steps;
  readonly scratch: string;
  readonly apt: Apt;
  readonly installed: () => Promise<InstalledPackages | null>;
  readonly onChange: () => void;
}

/** The debs under test, given or built, and the repository that they make in the testbed. */
export class LocalRepository {
  /** Directory on the host that holds them as PACKAGE.deb. */
  readonly #make: () => string;
  #made: string | null = null;
  readonly #packages = new Set<string>();

  /** @param make makes the directory when the first deb comes */
  constructor(make: () => string) {
    this.#make = make;
  }

  get #directory(): string {
    this.#made ??= this.#make();
    return this.#made;
  }

  get empty(): boolean {
    return this.#packages.size === 0;
  }

  /**
   * Takes a deb of the host.
   * @returns the package's name
   * @throws BadPackageError where the testbed's dpkg cannot read it
   */
  async register(steps: Steps, scratch: string, file: string): Promise<string> {
    const there = `${scratch}/${path.basename(file)}`;
    await steps.copy('down', file, there);
    const name = await packageName(steps, there);
    await steps.must({ doing: 'removing a copy', phase: 'copy', script: 'rm "$1"', words: [there] });
    copyFileSync(file, path.join(this.#directory, `${name}.deb`));
    this.#packages.add(name);
    return name;
  }

  /** Takes a deb of the testbed. @returns the package's name */
  async fetch(steps: Steps, file: string): Promise<string> {
    const name = await packageName(steps, file);
    await steps.copy('up', file, path.join(this.#directory, `${name}.deb`));
    this.#packages.add(name);
    return name;
  }

  /** Makes the debs known to the testbed's apt, and installs anew what of them is installed already. */
  async publish({ steps, scratch, apt, installed, onChange }: Publisher): Promise<void> {
    if (this.empty) return;
    const there = `${scratch}/binaries`;
    await steps.must({ doing: 'making room', phase: 'copy', script: 'rm -rf "$1"', words: [there] });
    await steps.copy('down', `${this.#directory}/`, `${there}/`);
    const words = [there, PREFERENCES, SOURCES];
    await steps.must({
      doing: 'publishing the debs under test',
      phase: 'provision',
      script: PUBLISH,
      words,
      limit: 'install',
    });
    await apt.update('reading the index of the debs under test', SOURCES);
    const present = (await installed())?.byName;
    const again = [...this.#packages].filter((name) => present?.has(name));
    if (again.length === 0) return;
    onChange();
    const options = ['--reinstall', '--allow-downgrades', '--allow-change-held-packages'];
    const end = await apt.insist('installing the debs under test again', [...options, 'install', ...again]);
    if (end.kind === 'refused') throw new BadPackageError(`installation of basic binaries failed (${end.said})`);
  }

  /** Takes the repository out of a testbed that cannot be reverted. */
  static async withdraw(steps: Steps, apt: Apt): Promise<void> {
    const words = [PREFERENCES, SOURCES];
    await steps.must({
      doing: 'resetting the apt configuration',
      phase: 'provision',
      script: 'rm -f "$1" "$2"',
      words,
    });
    await apt.update('resetting the apt configuration');
  }
}

/** @throws BadPackageError */
async function packageName(steps: Steps, file: string): Promise<string> {
  const { status, stdout, stderr } = await steps.ask({
    doing: `reading ${path.basename(file)}`,
    phase: 'provision',
    script: 'exec dpkg-deb --field "$1" Package',
    words: [file],
  });
  const name = stdout.trim();
  if (status === 0 && /^[a-z0-9][a-z0-9+.-]*$/.test(name)) return name;
  throw new BadPackageError(
    `failed to parse binary package: ${path.basename(file)}: ${stderr.trim() || 'it names no package'}`,
  );
}
