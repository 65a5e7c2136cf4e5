import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../errors.ts';
import { LAUNCHPAD, type LaunchpadServers } from './ppa/Launchpad.ts';
import { type Ppa, ppaOf, type SignedPpa } from './ppa/ppa.ts';

/** What apt in a testbed is to be given; see RunTestsOptions. */
export interface AptSetupOptions {
  readonly sources: readonly { readonly file: string; readonly text: string }[];
  readonly ppas: readonly SignedPpa[];
  /** Where those are. */
  readonly launchpad: LaunchpadServers;
  readonly releases: readonly string[];
  readonly pockets: readonly { readonly pocket: string; readonly packages: readonly string[] }[];
  readonly pins: readonly { readonly release: string; readonly packages: readonly string[] }[];
  readonly defaultRelease: string | null;
  readonly fallback: boolean;
  readonly upgrade: boolean;
  /** Architecture of the packages under test; null for the testbed's own. */
  readonly architecture: string | null;
}

/** The same, before Launchpad was asked. */
export interface ReadAptOptions extends Omit<AptSetupOptions, 'ppas'> {
  readonly ppas: readonly Ppa[];
}

/** The options as they were given. */
export interface GivenAptOptions {
  readonly addAptSources?: readonly string[];
  readonly addAptReleases?: readonly string[];
  readonly aptPockets?: readonly string[];
  readonly pinPackages?: readonly string[];
  readonly aptDefaultRelease?: string;
  readonly aptFallback?: boolean;
  readonly aptUpgrade?: boolean;
  readonly testArchitecture?: string;
  readonly launchpad?: Partial<LaunchpadServers>;
}

/** Reads the options, and the files that they name, before there is a run. @throws UsageError */
export function aptSetupOptions(given: GivenAptOptions): ReadAptOptions {
  const filled = (words: readonly string[] = []) => words.map((word) => word.trim()).filter((word) => word !== '');
  const sources = linesOf(given.addAptSources);
  const isPpa = (line: string) => line.startsWith('ppa:');
  return {
    sources: sources.filter((line) => !isPpa(line)).map(sourceOf),
    ppas: sources.filter(isPpa).map(ppaOf),
    launchpad: { ...LAUNCHPAD, ...given.launchpad },
    releases: filled(given.addAptReleases).map((release) => releaseOf('--add-apt-release', release)),
    pockets: filled(given.aptPockets).map(pocketOf),
    pins: (given.pinPackages ?? []).map(pinOf),
    defaultRelease:
      given.aptDefaultRelease === undefined ? null : releaseOf('--apt-default-release', given.aptDefaultRelease),
    fallback: given.aptFallback ?? true,
    upgrade: given.aptUpgrade ?? false,
    architecture: given.testArchitecture === undefined ? null : architectureOf(given.testArchitecture),
  };
}

/** Whether apt has to be asked for anything. Pure. */
export function asksForApt(options: ReadAptOptions): boolean {
  const { sources, ppas, releases, pockets, pins, defaultRelease, upgrade } = options;
  const lists = [sources, ppas, releases, pockets, pins];
  return upgrade || defaultRelease !== null || lists.some(({ length }) => length > 0);
}

/** Sources as autopkgtest takes them: several in one text too, one a line, with comments; each of them once. */
function linesOf(texts: readonly string[] = []): string[] {
  const lines = texts.flatMap((text) => text.split(/\r?\n/)).map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== '' && !line.startsWith('#')))];
}

function architectureOf(name: string): string {
  if (/^[a-z0-9][a-z0-9-]*$/.test(name)) return name;
  throw new UsageError(`--test-architecture ${name}: expected a Debian architecture, as dpkg names them`);
}

const LINE = /^deb(-src)?\s+(\[[^\]]+\]\s+)?\S+\s+\S+/;

function sourceOf(text: string): { file: string; text: string } {
  if (LINE.test(text)) return { file: 'autopkgtest-add-apt-sources.list', text };
  if (/\.(list|sources)$/.test(text)) {
    try {
      if (statSync(text).isFile()) return { file: path.basename(text), text: readFileSync(text, 'utf8').trimEnd() };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') throw new UsageError(`--add-apt-source ${text} cannot be read: ${message}`);
    }
  }
  throw new UsageError(
    `--add-apt-source ${text}: expected a line as "deb http://MIRROR SUITE COMPONENT...", ppa:OWNER/NAME, or a .list or .sources file of this machine`,
  );
}

function releaseOf(option: string, release: string): string {
  // A line feed would begin another field in apt's files.
  if (/^[^\s/][^\n]*$/.test(release)) return release;
  throw new UsageError(`${option} ${release}: expected the name of a release`);
}

function pocketOf(text: string): { pocket: string; packages: string[] } {
  const [pocket = '', list] = cut(text);
  if (!/^[A-Za-z0-9][A-Za-z0-9_.+-]*$/.test(pocket)) {
    throw new UsageError(`--apt-pocket ${text}: expected POCKET or POCKET=PACKAGE,src:SOURCE,...`);
  }
  return { pocket, packages: list === null ? [] : packagesOf('--apt-pocket', text, list) };
}

function pinOf(text: string): { release: string; packages: string[] } {
  const [release = '', list] = cut(text);
  if (list === null) throw new UsageError(`--pin-packages ${text}: expected RELEASE=PACKAGE,src:SOURCE,...`);
  return { release: releaseOf('--pin-packages', release), packages: packagesOf('--pin-packages', text, list) };
}

/** A release may be `a=unstable,o=Debian` (apt_preferences(5)), but no list of packages has an equals sign in it. */
function cut(text: string): [name: string, list: string | null] {
  const equals = text.lastIndexOf('=');
  return equals === -1 ? [text.trim(), null] : [text.slice(0, equals).trim(), text.slice(equals + 1)];
}

function packagesOf(option: string, text: string, list: string): string[] {
  const packages = list.split(',').map((name) => name.trim());
  if (packages.every((name) => /^(src:)?[a-z0-9*?][a-z0-9+.*?-]*(:[a-z0-9-]+)?$/.test(name))) return packages;
  throw new UsageError(`${option} ${text}: ${JSON.stringify(list)} is no list of packages parted by commas`);
}
