import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Subject } from 'rxjs';
import type { Capability } from '../../events/index.ts';
import { BackendError, type BackendHost, type BackendVerbs, type Location, type Observation } from '../contract.ts';
import { type HeldDirectory, holdDirectory } from '../shared/directories.ts';
import { askInside, type Enter } from '../shared/enter.ts';
import { findImage } from '../shared/images/findImage.ts';
import type { BaseImage } from '../shared/namespaces/NamespaceTestbed.ts';
import { type GuestSession, openSession } from '../shared/session/openSession.ts';
import { Container } from './Container.ts';
import { type HeldCgroup, holdCgroup } from './cgroup.ts';
import { commOf } from './leader.ts';
import type { NspawnOptions } from './options.ts';
import { type ContainerPlan, nspawnArgv } from './script.ts';

/** The exit status by which systemd-nspawn(1) says: start me again. */
const REBOOTED = 133;

/** Milliseconds between two questions whether systemd answers at all. Once it does, one question waits for the rest. */
const ASK_AGAIN = 100;

/** Has the init reboot, and returns before it does. */
const REBOOT = 'if [ -d /run/systemd/system ]; then exec systemctl --no-block reboot; else exec reboot; fi';

/** What a container can do. Pure. */
export function nspawnCapabilities({ boot, login }: Pick<NspawnOptions, 'boot' | 'login'>): Capability[] {
  return [
    ...((login ?? 'root') === 'root' ? (['root-on-testbed'] as const) : []),
    'revert',
    'revert-full-system',
    ...(boot ? (['reboot', 'isolation-container'] as const) : []),
  ];
}

/** The verbs of a testbed that is a container of systemd-nspawn(1). */
export class NspawnTestbed implements BackendVerbs {
  readonly observations$ = new Subject<Observation>();
  readonly restart?: (signal: AbortSignal, line?: string) => Promise<void>;
  readonly #options: NspawnOptions;
  readonly #host: BackendHost;
  #base: BaseImage | null = null;
  #layer: HeldDirectory | null = null;
  #cgroup: HeldCgroup | null = null;
  #container: Container | null = null;
  #enter: Enter | null = null;
  #session: GuestSession | null = null;

  constructor(options: NspawnOptions, host: BackendHost) {
    this.#options = options;
    this.#host = host;
    if (options.boot) this.restart = (signal, line) => this.#restart(signal, line);
  }

  async create(signal: AbortSignal): Promise<void> {
    if (process.getuid?.() !== 0)
      throw new BackendError('no-permission', 'the nspawn backend takes root', {
        remedy: 'run trundle as root, or use the unshare backend',
      });
    this.#base = await findImage(this.#options.image, 'root', { host: this.#host, signal });
    await this.#makeLayer();
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#cgroup = holdCgroup(this.#host);
    const { image } = this.#options;
    const plan = this.#plan(this.#cgroup);
    const ended = (status: number | null, killedBy: string | null) => {
      const reason = 'the guest rebooted, and nobody had asked for it';
      this.observations$.next(
        status === REBOOTED
          ? { type: 'guest.stopped', reason }
          : { type: 'process.exited', process: 'container', role: 'main', status, signal: killedBy },
      );
    };
    const endedBefore = () =>
      this.observations$.next({ type: 'guest.stopped', reason: 'process container ended before it was told to' });
    this.#container = await Container.prepare({ plan, image, host: this.#host, ended, endedBefore }, signal);
    await this.#run(this.#container, plan, signal);
  }

  async endpoint(signal: AbortSignal): Promise<Location> {
    if (this.#enter === null) throw new BackendError('not-started', 'the container does not run');
    await this.#closeSession();
    const { session: kind, login, normalUser } = this.#options;
    this.#session = await openSession({ enter: this.#enter, kind, host: this.#host, signal, login, normalUser });
    return { endpoint: this.#session.endpoint, capabilities: nspawnCapabilities(this.#options) };
  }

  async reset(signal: AbortSignal): Promise<void> {
    await this.stop(signal);
    await this.#layer?.remove(signal);
    await this.#makeLayer();
    await this.start(signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    const closed = this.#session?.close();
    this.#session = null;
    this.#enter = null;
    await this.#container?.stop(signal);
    this.#container = null;
    await this.#cgroup?.remove(signal);
    this.#cgroup = null;
    await closed;
  }

  async destroy(signal: AbortSignal): Promise<void> {
    await this.stop(signal);
    await this.#layer?.remove(signal);
    this.#layer = null;
  }

  /** The init reboots in order, the container ends, and another follows over the same files. */
  async #restart(signal: AbortSignal, line?: string): Promise<void> {
    const [container, enter, cgroup] = [this.#container, this.#enter, this.#cgroup];
    if (container === null || enter === null || cgroup === null)
      throw new BackendError('not-started', 'the container does not run');
    if (line === undefined) await this.#closeSession();
    // Its end may come before its answer.
    const status = await container.end(() => askInside(enter, line ?? REBOOT, { signal }).catch(() => {}), signal);
    await this.#closeSession();
    if (status !== REBOOTED)
      throw new BackendError('no-reboot', `the container ended with exit status ${status} where it should reboot`);
    await this.#run(container, this.#plan(cgroup), signal);
  }

  async #closeSession(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  async #run(container: Container, plan: ContainerPlan, signal: AbortSignal): Promise<void> {
    const enter = await container.start(signal);
    const pid = container.leader ?? 0;
    const argv = nspawnArgv(plan);
    this.observations$.next({ type: 'process.spawned', process: 'container', role: 'main', pid, argv });
    if (plan.boot) await this.#whenUp(enter, pid, signal);
    this.#enter = enter;
  }

  /** Waits until systemd has started all that it means to. Other inits do not tell. */
  async #whenUp(enter: Enter, leader: number, signal: AbortSignal): Promise<void> {
    if (commOf(leader) !== 'systemd') return;
    for (;;) {
      const { stdout } = await askInside(enter, 'exec systemctl is-system-running --wait 2>/dev/null', { signal });
      const state = stdout.trim();
      if (state === 'running') return;
      if (state === 'degraded' || state === 'maintenance') {
        this.#host.console(Buffer.from(`trundle: systemd is ${state}: systemctl --failed tells why\n`));
        return;
      }
      if (commOf(leader) === '') throw new BackendError('init-died', 'the init ended while it booted');
      await pause(ASK_AGAIN, undefined, { signal });
    }
  }

  #plan(cgroup: HeldCgroup): ContainerPlan {
    const { boot, network } = this.#options;
    const layer = this.#layer?.path ?? '';
    const place = (name: string) => join(layer, name);
    const lower = this.#base?.root ?? '';
    return {
      root: { kind: 'overlay', lower, upper: place('upper'), work: place('work'), mountpoint: place('root') },
      lock: this.#base?.lock ?? null,
      cgroup: cgroup.path,
      machine: `trundle-${this.#host.run}-${this.#host.testbed}`.replaceAll(/[^A-Za-z0-9-]/g, '-').slice(0, 64),
      boot,
      privateNetwork: network === 'private',
    };
  }

  async #makeLayer(): Promise<void> {
    this.#layer = await holdDirectory(this.#host, join(this.#host.workDirectory, 'layer'));
    for (const name of ['upper', 'work', 'root']) await mkdir(join(this.#layer.path, name), { mode: 0o755 });
  }
}
