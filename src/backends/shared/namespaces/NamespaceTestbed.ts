import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { Subject } from 'rxjs';
import type { Capability } from '../../../events/index.ts';
import { BackendError, type BackendHost, type BackendVerbs, type Location, type Observation } from '../../contract.ts';
import { holdDirectory, makeLayer } from '../directories.ts';
import type { Held } from '../held.ts';
import { imageGone, withImage } from '../images/imageGone.ts';
import { mountedUnder, readMounts } from '../mounts.ts';
import { dyingWithUs, failureOfProgram, runProgram } from '../runProgram.ts';
import {
  type BegunSession,
  type GuestSession,
  openSession,
  planSession,
  type SESSION_KINDS,
  type SessionPlan,
  sshdDirectory,
} from '../session/openSession.ts';
import { Init } from './Init.ts';
import { asOwner, type Identity } from './identity.ts';
import { mustBeMapped } from './owners.ts';
import { IMAGE_GONE, lockLines, OWN_MOUNTS, presenceLine, type RootPlan, type SetupPlan } from './setupScript.ts';

/** What the root of a testbed is made from. */
export interface BaseImage {
  /** Its root directory; never written to, unless the testbed is `inPlace`. */
  readonly root: string;
  /** A file to keep locked while it is used; null for none. */
  readonly lock: string | null;
}

/** A testbed in namespaces of its own, as a backend's options ask for it. */
export interface NamespaceOptions {
  readonly identity: Identity;
  /** Finds, unpacks or makes the image; called by `create()`. */
  readonly image: (signal: AbortSignal) => Promise<BaseImage>;
  /** Whether tests write into the image itself; then there is no revert. */
  readonly inPlace: boolean;
  readonly binds: SetupPlan['binds'];
  readonly privateNetwork: boolean;
  /** Name of an ordinary account to make where the image has none; null to make none. */
  readonly addUser: string | null;
  readonly session: (typeof SESSION_KINDS)[number];
  readonly login: string | undefined;
  readonly normalUser: string | undefined;
}

/** What a testbed in namespaces can do. Pure. */
export function namespaceCapabilities({
  identity,
  inPlace,
  login,
}: Pick<NamespaceOptions, 'identity' | 'inPlace' | 'login'>): Capability[] {
  const root = identity !== 'single' && (login ?? 'root') === 'root';
  return [
    ...(root ? (['root-on-testbed'] as const) : []),
    ...(inPlace ? [] : (['revert', 'revert-full-system'] as const)),
  ];
}

/** The verbs of a testbed that is a root file system in namespaces of its own, held by a supervised init. */
export class NamespaceTestbed implements BackendVerbs {
  readonly observations$ = new Subject<Observation>();
  readonly reset?: (signal: AbortSignal) => Promise<void>;
  readonly #options: NamespaceOptions;
  readonly #host: BackendHost;
  #base: BaseImage | null = null;
  #layer: Held | null = null;
  #copies = false;
  #init: Init | null = null;
  #session: GuestSession | null = null;
  /** The way that the init has opened and nobody has asked for yet. */
  #begun: BegunSession | null = null;

  constructor(options: NamespaceOptions, host: BackendHost) {
    this.#options = options;
    this.#host = host;
    if (!options.inPlace) this.reset = (signal) => this.#reset(signal);
  }

  async create(signal: AbortSignal): Promise<void> {
    this.#base = await this.#options.image(signal);
    await mustBeMapped(this.#base.root, this.#options.identity);
    if (!this.#options.inPlace) await this.#makeLayer();
  }

  async start(signal: AbortSignal): Promise<void> {
    try {
      this.#init = await this.#startInit(signal);
    } catch (error) {
      if (!(error instanceof BackendError) || error.code !== 'no-overlay') throw error;
      // Older kernels, and some file systems, have no overlays for users: slower, but the same to a test.
      this.#host.log('no overlay: the image is copied', { why: error.message });
      this.#host.console(Buffer.from(`trundle: ${error.message}; the image is copied instead\n`));
      this.#copies = true;
      await this.#copy(signal);
      this.#init = await this.#startInit(signal);
    }
  }

  async endpoint(signal: AbortSignal): Promise<Location> {
    const init = this.#init;
    if (init === null) throw new BackendError('not-started', 'the testbed has no init');
    await this.#session?.close();
    this.#session = null;
    const begun = this.#begun;
    this.#begun = null;
    this.#session = await openSession({ ...this.#sessionOptions(), enter: init.enter, signal }, begun);
    return { endpoint: this.#session.endpoint, capabilities: namespaceCapabilities(this.#options) };
  }

  async stop(signal: AbortSignal): Promise<void> {
    const init = this.#init;
    // What a session in our own process runs there ends with the init.
    const closed = this.#session?.close();
    this.#session = null;
    this.#begun?.shell.end();
    this.#begun = null;
    await init?.stop(signal);
    this.#init = null;
    await closed;
  }

  async destroy(signal: AbortSignal): Promise<void> {
    await this.stop(signal);
    await this.#layer?.remove(signal);
    this.#layer = null;
  }

  async #reset(signal: AbortSignal): Promise<void> {
    await this.stop(signal);
    await this.#layer?.remove(signal);
    await this.#makeLayer();
    if (this.#copies) await this.#copy(signal);
    this.#init = await this.#startInit(signal);
  }

  #startInit(signal: AbortSignal): Promise<Init> {
    return withImage(
      () => this.#tryInit(signal),
      () => this.#findAgain(signal),
    );
  }

  async #findAgain(signal: AbortSignal): Promise<void> {
    this.#host.log('the image has left the cache: it is unpacked anew');
    this.#base = await this.#options.image(signal);
  }

  #sessionOptions() {
    const { session: kind, login, normalUser, identity } = this.#options;
    const onlyUid = identity === 'single' ? (process.getuid?.() ?? 0) : null;
    return { kind, host: this.#host, login, normalUser, onlyUid };
  }

  async #tryInit(signal: AbortSignal): Promise<Init> {
    const options = this.#sessionOptions();
    let planned: SessionPlan | null = null;
    const session = () => {
      planned ??= planSession(options);
      return planned;
    };
    const { identity, binds, privateNetwork, addUser, inPlace } = this.#options;
    const only = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const directory = options.kind === 'stand-in' ? null : sshdDirectory(this.#host);
    const plan: SetupPlan = {
      root: this.#root(),
      disposable: !inPlace,
      userNamespace: identity !== 'root',
      only: identity === 'single' ? only : null,
      binds,
      privateNetwork,
      addUser,
      // A copy is the testbed's own.
      lock: this.#copies ? null : (this.#base?.lock ?? null),
      // Whoever is no root is entered: of the capabilities with which mounts are made, sessions must have none.
      shell: identity === 'single' ? null : { login: options.login ?? 'root', directory },
    };
    const observe = (seen: Observation) => this.observations$.next(seen);
    const init = await Init.start({
      identity,
      plan,
      host: this.#host,
      signal,
      observe,
      script: () => session().script,
    });
    this.#begun = init.shell === null ? null : { plan: session(), shell: init.shell };
    return init;
  }

  #root(): RootPlan {
    const base = this.#base;
    if (base === null) throw new BackendError('not-created', 'the testbed has no image yet');
    // It may have been entered by other means before, for which much is mounted in it.
    if (this.#options.inPlace)
      return {
        kind: 'directory',
        path: base.root,
        mountpoint: this.#host.workDirectory,
        covered: mountedUnder(realpathSync(base.root), OWN_MOUNTS, readMounts()),
      };
    const layer = this.#layer?.path ?? '';
    const copy = join(layer, 'root');
    if (this.#copies) return { kind: 'directory', path: copy, mountpoint: copy, covered: [] };
    const place = (name: string) => join(layer, name);
    return { kind: 'overlay', lower: base.root, upper: place('upper'), work: place('work'), mountpoint: place('root') };
  }

  async #makeLayer(): Promise<void> {
    const path = join(this.#host.workDirectory, 'layer');
    this.#layer = await holdDirectory(this.#host, path, asOwner(this.#options.identity));
    await makeLayer(path);
  }

  #copy(signal: AbortSignal): Promise<void> {
    return withImage(
      () => this.#tryCopy(signal),
      () => this.#findAgain(signal),
    );
  }

  async #tryCopy(signal: AbortSignal): Promise<void> {
    const { root: from = '', lock = null } = this.#base ?? {};
    const to = join(this.#layer?.path ?? '', 'root');
    const script = `${lock === null ? '' : lockLines(lock)}${presenceLine(from)}exec cp -a --reflink=auto -- "$1/." "$2"`;
    const argv = [...asOwner(this.#options.identity), ...dyingWithUs(['sh', '-ec', script, 'sh', from, to])];
    const result = await runProgram(argv, { signal });
    if (result.status === IMAGE_GONE) throw imageGone();
    if (result.status !== 0) throw failureOfProgram('cp', result, { code: 'copy-failed', doing: `copying ${from}` });
  }
}
