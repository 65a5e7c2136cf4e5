import type { BackendHost, Observation } from '../contract.ts';
import type { Enter } from '../shared/enter.ts';
import type { BegunSession, SessionPlan } from '../shared/session/openSession.ts';
import type { ChrootConfig } from './chroots.ts';
import { SessionInit } from './SessionInit.ts';
import { locationOf, mayGoAlone, type Way, wayOfRoot, wayOfSchroot } from './ways.ts';

/** Which session to go into, and as whom. */
export interface InsideOptions {
  /** The session's id. */
  readonly id: string;
  readonly config: ChrootConfig;
  /** Whether we are root in it. */
  readonly root: boolean;
  readonly host: BackendHost;
  readonly observe: (seen: Observation) => void;
  /** Makes ready what its first shell does, where there can be one; null to start none. */
  readonly plan: (() => SessionPlan) | null;
}

/** Whether this process goes into sessions without schroot(1). */
export function goesAlone(config: ChrootConfig): boolean {
  return process.getuid?.() === 0 && mayGoAlone(config);
}

/** A foothold in a session whose files are mounted: an init where there can be one, and the way in. */
export class Inside {
  /** Where the session is mounted, if that concerns us. */
  readonly location: string | null;
  readonly hasInit: boolean;
  readonly #way: Way;
  readonly #init: SessionInit | null;
  #begun: BegunSession | null;

  private constructor(location: string | null, way: Way, init: SessionInit | null, plan: SessionPlan | null) {
    this.#begun = plan === null || init?.shell == null ? null : { plan, shell: init.shell };
    this.location = location;
    this.hasInit = init !== null;
    this.#way = way;
    this.#init = init;
  }

  /** Goes in and starts the init. @throws BackendError `setup-failed`, `no-shell`, `wrong-architecture` */
  static async enter(
    { id, config, root, host, observe, plan: wanted }: InsideOptions,
    signal: AbortSignal,
  ): Promise<Inside> {
    const location = goesAlone(config) ? await locationOf(id, config, signal) : null;
    const way = (hasInit: boolean) =>
      location === null ? wayOfSchroot(id, root, hasInit) : wayOfRoot(location, hasInit);
    const plain = way(false);
    try {
      // schroot(1) hands on no descriptors but the usual three.
      const plan = location === null ? null : (wanted?.() ?? null);
      const init = root ? await SessionInit.start(plain.enter, { host, signal, observe, plan }) : null;
      // Without one the end of the session is the end of its processes: schroot looks for them.
      if (init === null) host.log('no pid namespace', { root });
      return new Inside(location, way(init !== null), init, plan);
    } finally {
      // It would keep the session busy.
      plain.close();
    }
  }

  /** How programs are run in it, until it is left. */
  get enter(): Enter {
    return this.#way.enter;
  }

  /** The way that its first shell has opened, for whoever asks first; null for all others. */
  takeBegun(): BegunSession | null {
    const begun = this.#begun;
    this.#begun = null;
    return begun;
  }

  /** Ends what runs in it and gives up the way in. @throws the signal's reason where its processes will not go */
  async leave(signal: AbortSignal): Promise<void> {
    this.takeBegun()?.shell.end();
    try {
      await this.#init?.stop(signal);
    } finally {
      this.#way.close();
    }
  }
}
