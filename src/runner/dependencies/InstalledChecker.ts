import type { DependencyInstaller, DependencyRequest, Preparation } from './DependencyInstaller.ts';
import { type InstalledPackages, missing } from './installedPackages.ts';

/** Installs nothing: a test may run if all that it depends on, its own packages included, is installed already. */
export class InstalledChecker implements DependencyInstaller {
  readonly #query: (signal: AbortSignal) => Promise<InstalledPackages | null>;
  readonly #architecture: string | null;

  /** @param query what is installed now; null where the testbed has no dpkg */
  constructor(query: (signal: AbortSignal) => Promise<InstalledPackages | null>, architecture: string | null) {
    this.#query = query;
    this.#architecture = architecture;
  }

  async prepare(request: DependencyRequest, signal: AbortSignal): Promise<Preparation> {
    const wanted = request.test.definition.depends;
    if (wanted.length === 0) return { kind: 'ready' };
    const installed = await this.#query(signal);
    if (installed === null || this.#architecture === null || request.depends === null) {
      const list = wanted.join(', ');
      return {
        kind: 'ready',
        note: `the testbed has no dpkg to tell whether test dependencies (${list}) are installed; continuing anyway`,
      };
    }
    const lacking = missing(request.depends, installed, this.#architecture);
    if (lacking.length === 0) return { kind: 'ready' };
    return { kind: 'badpkg', message: `test dependencies missing: ${lacking.join(', ')}` };
  }
}
