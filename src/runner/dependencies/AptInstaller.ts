import { type Alternatives, fieldText } from '../control/relations.ts';
import type { RunLog } from '../output/RunLog.ts';
import type { Apt } from './Apt.ts';
import type { DependencyInstaller, DependencyRequest, Preparation } from './DependencyInstaller.ts';
import { type InstalledPackages, missing } from './installedPackages.ts';

/** Pins that may be given up, one after the other, where dependencies cannot be had with them. */
export interface Pins {
  /** Takes the latest pin away; the release it was for, or null where none is left or none may go. */
  giveUp(): Promise<string | null>;
  /** Whether pins may be given up at all (--no-apt-fallback says no). */
  readonly fallback: boolean;
}

/** What an AptInstaller needs. */
export interface AptInstallerOptions {
  readonly apt: Apt;
  readonly log: RunLog;
  readonly pins: Pins;
  /** Debian architecture of the testbed. */
  readonly architecture: string;
  /** What is installed now. */
  readonly query: () => Promise<InstalledPackages>;
  /** Called when packages were installed: whatever was known of them is not true any more. */
  readonly onChange: () => void;
}

const COMMON_REASON = {
  outdated:
    'that your testbed is out of date with respect to the archive, and you need to use a current testbed or run apt-get update or use -U.',
  pinned:
    'that the requested apt pinning prevented dependencies from the non-default suite to be installed. In that case you need to add those dependencies to the pinning list.',
};

/** Installs what a test depends on with apt-get. Where all is installed already, apt is not asked. */
export class AptInstaller implements DependencyInstaller {
  readonly #options: AptInstallerOptions;

  constructor(options: AptInstallerOptions) {
    this.#options = options;
  }

  async prepare({ depends, own = [] }: DependencyRequest): Promise<Preparation> {
    if (depends === null) throw new Error('dependencies of a testbed with apt, and nobody knows its architecture');
    return await this.install(depends, own);
  }

  /** @param own packages of the source under test that must be there themselves, not by others that provide them */
  async install(depends: readonly Alternatives[], own: readonly (readonly string[])[]): Promise<Preparation> {
    const { query, architecture, log, pins } = this.#options;
    if (depends.length === 0) return { kind: 'ready' };
    const before = await query();
    if (missing(depends, before, architecture).length === 0 && own.every((names) => real(names, before))) {
      return { kind: 'ready' };
    }
    for (;;) {
      const refusal = await this.#satisfy(depends, own);
      if (refusal === null) return { kind: 'ready' };
      const release = await pins.giveUp();
      if (release === null) {
        const reason = COMMON_REASON[pins.fallback ? 'outdated' : 'pinned'];
        const message = `Test dependencies are unsatisfiable. A common reason is ${reason}`;
        return { kind: 'badpkg', message, ...(refusal === '' ? {} : { detail: refusal }) };
      }
      log.warning(
        `Test dependencies are unsatisfiable with using apt pinning. Retrying with using all packages from ${release}`,
      );
    }
  }

  /** What apt has against it; null where it was done. */
  async #satisfy(depends: readonly Alternatives[], own: readonly (readonly string[])[]): Promise<string | null> {
    const { apt, onChange } = this.#options;
    onChange();
    const end = await apt.insist('installing test dependencies', ['satisfy', fieldText(depends)]);
    if (end.kind === 'refused') return end.said;
    const substitutes = await this.#substituted(own);
    if (substitutes.length === 0) return null;
    onChange();
    const replaced = await apt.insist('installing the packages under test', ['install', ...substitutes]);
    return replaced.kind === 'refused' ? replaced.said : null;
  }

  /** Packages under test for which others stand in that only provide them. */
  async #substituted(own: readonly (readonly string[])[]): Promise<string[]> {
    const { query, log } = this.#options;
    if (own.length === 0) return [];
    const installed = await query();
    return own.flatMap((names) => {
      if (real(names, installed)) return [];
      const provided = names.filter((name) => installed.provided.has(name));
      const [first] = provided;
      if (first === undefined) {
        log.warning(
          names.length === 1
            ? `package ${names[0]} is not installed though it should be`
            : `no alternative in ${names.join(' | ')} is installed though one should be`,
        );
        return [];
      }
      if (provided.length > 1) {
        log.warning(`several alternatives of ${names.join(' | ')} are only provided; installing ${first} itself`);
      }
      return [first];
    });
  }
}

function real(names: readonly string[], installed: InstalledPackages): boolean {
  return names.some((name) => installed.byName.has(name));
}
