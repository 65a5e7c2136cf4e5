import type { Alternatives, PackageRelation, Relation } from '../control/relations.ts';
import { compareVersions } from '../control/version.ts';

/** Arguments after `dpkg-query` that print what {@link parseInstalled} reads. */
export const INSTALLED_QUERY: readonly string[] = [
  '--show',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: these placeholders are dpkg-query's own
  '--showformat=${db:Status-Status}\\t${Package}\\t${Version}\\t${Architecture}\\t${Multi-Arch}\\t${Provides}\\n',
];

interface Installed {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly multiArch: string;
}

/** A name that some installed package provides, with the version where it gives one. */
interface Provided {
  readonly version: string | null;
  readonly by: Installed;
}

/** What is installed in a testbed. */
export interface InstalledPackages {
  readonly packages: readonly Installed[];
  readonly byName: ReadonlyMap<string, readonly Installed[]>;
  readonly provided: ReadonlyMap<string, readonly Provided[]>;
}

/** Reads the output of dpkg-query with {@link INSTALLED_QUERY}. Pure. */
export function parseInstalled(output: string): InstalledPackages {
  const packages: Installed[] = [];
  const byName = new Map<string, Installed[]>();
  const provided = new Map<string, Provided[]>();
  for (const line of output.split('\n')) {
    const [status, name, version = '', architecture = '', multiArch = '', provides = ''] = line.split('\t');
    if (status !== 'installed' || name === undefined) continue;
    const installed = { name, version, architecture, multiArch };
    packages.push(installed);
    append(byName, name, installed);
    for (const [, virtual = '', given] of provides.matchAll(
      /([a-z0-9][a-z0-9+.-]*)(?::\S+)?\s*(?:\(=\s*([^)]+?)\s*\))?(?:,|$)/g,
    )) {
      append(provided, virtual, { version: given ?? null, by: installed });
    }
  }
  return { packages, byName, provided };
}

function append<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list) list.push(item);
  else map.set(key, [item]);
}

/** `NAME<tab>VERSION` lines, as in autopkgtest's testbed-packages. Pure. */
export function packageList(installed: InstalledPackages): string {
  return installed.packages.map(({ name, version }) => `${name}\t${version}\n`).join('');
}

/** The part of {@link packageList} whose names are not in the base system: autopkgtest's NAME-packages. Pure. */
export function addedPackages(base: InstalledPackages, now: InstalledPackages): string {
  const packages = now.packages.filter(({ name }) => !base.byName.has(name));
  return packageList({ ...now, packages });
}

/** The dependencies that nothing installed satisfies, as they were written. Pure. */
export function missing(
  depends: readonly Alternatives[],
  installed: InstalledPackages,
  architecture: string,
): string[] {
  return depends
    .filter((alternatives) => !alternatives.some((relation) => satisfied(relation, installed, architecture)))
    .map((alternatives) => alternatives.map(({ text }) => text).join(' | '));
}

function satisfied(relation: PackageRelation, installed: InstalledPackages, architecture: string): boolean {
  const real = installed.byName.get(relation.package) ?? [];
  if (real.some((found) => suits(found, relation, architecture) && holds(found.version, relation))) return true;
  const virtual = installed.provided.get(relation.package) ?? [];
  return virtual.some(({ version, by }) => suits(by, relation, architecture) && holds(version, relation));
}

/** The architecture qualifier's meaning (deb-control(5)), as dpkg-checkbuilddeps(1) takes it. */
function suits(found: Installed, relation: PackageRelation, architecture: string): boolean {
  const native = found.architecture === architecture || found.architecture === 'all';
  if (relation.qualifier === null) return native || found.multiArch === 'foreign';
  if (relation.qualifier === 'any') return found.multiArch === 'allowed';
  if (relation.qualifier === 'native') return native && found.multiArch !== 'foreign';
  return found.architecture === relation.qualifier;
}

const HOLDS: Readonly<Record<Relation, (difference: number) => boolean>> = {
  '<<': (difference) => difference < 0,
  '<=': (difference) => difference <= 0,
  '=': (difference) => difference === 0,
  '>=': (difference) => difference >= 0,
  '>>': (difference) => difference > 0,
};

/** A provided name without a version satisfies no versioned relation. */
function holds(version: string | null, relation: PackageRelation): boolean {
  if (relation.version === null) return true;
  return version !== null && HOLDS[relation.version.relation](compareVersions(version, relation.version.version));
}
