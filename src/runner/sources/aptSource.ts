import { compareVersions } from '../control/version.ts';
import { BadPackageError } from '../errors.ts';
import type { Steps } from '../session/Steps.ts';

/** What apt would install of a binary package. */
export interface Candidate {
  readonly name: string;
  readonly version: string;
  /** Of the pin that chose it (apt_preferences(5)). */
  readonly priority: number;
}

/**
 * The version of a source package that apt's pins would have: of all candidates of its binary packages those with the
 * highest priority, and of these the newest, as its source version.
 * @throws BadPackageError where apt knows no such source, StepError, TestbedError
 */
export async function chooseVersion(steps: Steps, name: string, architecture: string): Promise<string> {
  const doing = `choosing a version of source package ${name}`;
  const ask = (script: string, words: readonly string[]) =>
    steps.ask({ doing, phase: 'provision', script, words, env: { LC_ALL: 'C' } });

  const sources = await ask('exec apt-cache showsrc --only-source "$1"', [name]);
  const binaries = binariesOf(sources.stdout, architecture);
  if (sources.status !== 0 || binaries.length === 0) {
    const said = sources.stderr.trim().replace(/\s*\n\s*/g, '; ');
    const hint = said === '' ? 'apt has no such source; are there deb-src lines in its sources?' : said;
    throw unfetched(`no source package ${name} is known to apt in the testbed: ${hint}`);
  }
  const policy = await ask('exec apt-cache policy "$@"', binaries);
  const candidates = candidatesOf(policy.stdout);
  const shown = await ask(
    'exec apt-cache show "$@"',
    candidates.map((candidate) => `${candidate.name}=${candidate.version}`),
  );
  const version = bestSourceVersion(name, candidates, shown.stdout);
  if (version === null) throw unfetched(`no binary package of source ${name} can be installed in the testbed`);
  return version;
}

/** In the words of autopkgtest, whose script exits with 1 here, and in ours. */
function unfetched(why: string): BadPackageError {
  return new BadPackageError(`rules extract failed with exit code 1 (${why})`);
}

/** The debs that a source builds for an architecture, by the output of `apt-cache showsrc`. Pure. */
export function binariesOf(showsrc: string, architecture: string): string[] {
  const names = new Set<string>();
  const wanted = new Set(['all', 'any', `any-${architecture}`, architecture, 'linux-any']);
  for (const stanza of showsrc.split(/\n\n+/)) {
    if (/^Extra-Source-Only:/m.test(stanza)) continue;
    const list = /^Package-List:[^\n]*\n((?: .*\n?)*)/m.exec(stanza)?.[1];
    if (list === undefined) {
      const binary = /^Binary:(.*(?:\n .*)*)/m.exec(stanza)?.[1] ?? '';
      for (const name of binary.split(/[\s,]+/)) if (name !== '') names.add(name);
      continue;
    }
    for (const line of list.split('\n')) {
      const [name, type, , , ...more] = line.trim().split(/\s+/);
      if (name === undefined || type !== 'deb') continue;
      const architectures = more.find((word) => word.startsWith('arch='))?.slice('arch='.length);
      if (architectures === undefined || architectures.split(',').some((each) => wanted.has(each))) names.add(name);
    }
  }
  return [...names];
}

/** The candidates in the output of `apt-cache policy`, each with its priority. Pure. */
export function candidatesOf(policy: string): Candidate[] {
  const candidates: Candidate[] = [];
  for (const block of policy.split(/^(?=\S)/m)) {
    const name = /^(\S+?):$/m.exec(block)?.[1];
    const version = /^ {2}Candidate: (\S+)$/m.exec(block)?.[1];
    if (name === undefined || version === undefined || version === '(none)') continue;
    const row = [...block.matchAll(/^(?: {5}| \*{3} )(\S+) (-?\d+)(?: \(.*\))?$/gm)].find(
      ([, each]) => each === version,
    );
    candidates.push({ name, version, priority: Number(row?.[2] ?? 0) });
  }
  return candidates;
}

/** The release that a version comes from, by the output of `apt-cache policy` for one package; null if from none. Pure. */
export function suiteOf(policy: string, version: string): string | null {
  const rows = policy.split('\n');
  const at = rows.findIndex((row) => /^(?: {5}| \*{3} )\S/.test(row) && row.slice(5).split(' ')[0] === version);
  for (const row of rows.slice(at + 1)) {
    if (/^(?: {5}| \*{3} )\S/.test(row)) break;
    const suite = /^ +-?\d+ \S+:\S* (\S+?)\/\S+ \S+ Packages$/.exec(row)?.[1];
    if (suite !== undefined) return suite;
  }
  return null;
}

/** The source version of the best candidate, given `apt-cache show` of all of them; null where none is of it. Pure. */
export function bestSourceVersion(source: string, candidates: readonly Candidate[], shown: string): string | null {
  let best: { priority: number; version: string } | null = null;
  for (const stanza of shown.split(/\n\n+/)) {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1]?.trim();
    const [name, version] = [field('Package'), field('Version')];
    const candidate = candidates.find((each) => each.name === name && each.version === version);
    if (candidate === undefined || version === undefined) continue;
    const [, from = candidate.name, given] = /^(\S+)(?:\s+\(([^)]*)\))?/.exec(field('Source') ?? '') ?? [];
    if (from !== source) continue;
    const own = { priority: candidate.priority, version: given ?? version };
    const better =
      best === null ||
      own.priority > best.priority ||
      (own.priority === best.priority && compareVersions(own.version, best.version) > 0);
    if (better) best = own;
  }
  return best?.version ?? null;
}
