import { BackendError } from '../../contract.ts';
import { runProgram } from '../runProgram.ts';

/** What apt prints of each index that it would fetch. */
const FORMAT = '$(CODENAME)|$(SUITE)|$(REPO_URI)|$(COMPONENT)';

/**
 * Where this machine's apt takes a release from, as lines of sources.list(5): the release, its updates and its security
 * fixes. None where apt does not know the release, or is not there.
 */
export async function aptMirror(release: string, signal: AbortSignal): Promise<string[]> {
  const argv = ['apt-get', 'indextargets', '--format', FORMAT, 'Created-By: Packages'];
  const { status, stdout } = await runProgram(argv, { signal }).catch((error: unknown) => {
    if (error instanceof BackendError && error.code === 'program-missing') return { status: 127, stdout: '' };
    throw error;
  });
  return status === 0 ? linesOf(stdout, release) : [];
}

/** The lines for a release, by its codename or the name of its suite. Pure. */
export function linesOf(targets: string, release: string): string[] {
  const components = new Map<string, Set<string>>();
  for (const target of targets.split('\n')) {
    const [codename = '', suite = '', uri, component] = target.split('|');
    if (uri === undefined || component === undefined) continue;
    const name = [codename, suite].find((each) => isOf(each, release));
    if (name === undefined) continue;
    const source = `${uri} ${name}`;
    components.set(source, (components.get(source) ?? new Set()).add(component));
  }
  // Without the release itself there is nothing that its updates could update.
  if (![...components.keys()].some((source) => source.endsWith(` ${release}`))) return [];
  return [...components].map(([source, names]) => `deb ${source} ${[...names].join(' ')}`);
}

function isOf(name: string, release: string): boolean {
  return [release, `${release}-updates`, `${release}-security`].includes(name);
}
