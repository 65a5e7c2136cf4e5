import { setTimeout as pause } from 'node:timers/promises';
import { Subject } from 'rxjs';
import type { Capability } from '../../../events/index.ts';
import { BackendError, type BackendHost, type BackendVerbs, type Location, type Observation } from '../../contract.ts';
import { askInside, type Enter } from '../enter.ts';
import type { Held } from '../held.ts';
import { withImage } from '../images/imageGone.ts';
import { type GuestSession, openSession, type SessionRequest } from '../session/openSession.ts';
import { Container } from './Container.ts';
import { holdCgroup } from './cgroup.ts';
import { programOf } from './leader.ts';
import type { ContainerFiles } from './OverlayFiles.ts';
import { type ContainerPlan, REBOOTED } from './plan.ts';

/** Milliseconds between two questions whether systemd answers at all. Once it does, one question waits for the rest. */
const ASK_AGAIN = 100;

/** Has the init reboot, and returns before it does. */
const REBOOT = 'if [ -d /run/systemd/system ]; then exec systemctl --no-block reboot; else exec reboot; fi';

/** A testbed in a container, as a backend asks for it. */
export interface OuterOptions {
  /** The backend's name. */
  readonly backend: string;
  /** Throws a BackendError where it was asked for what cannot be had, before anything is made. */
  readonly check?: () => void;
  readonly files: ContainerFiles;
  /** How the container is run, in a control group (its path in the hierarchy of version 2). */
  readonly plan: (cgroup: string) => ContainerPlan;
  readonly capabilities: readonly Capability[];
  readonly session: SessionRequest['kind'];
  readonly login: string | undefined;
  readonly normalUser: string | undefined;
}

/** The verbs of a testbed that is a container, run by a program of this machine in outer namespaces. Takes root. */
export class OuterTestbed implements BackendVerbs {
  readonly observations$ = new Subject<Observation>();
  readonly restart?: (signal: AbortSignal, line?: string) => Promise<void>;
  readonly #options: OuterOptions;
  readonly #host: BackendHost;
  #cgroup: Held | null = null;
  #container: Container | null = null;
  #enter: Enter | null = null;
  #session: GuestSession | null = null;

  constructor(options: OuterOptions, host: BackendHost) {
    this.#options = options;
    this.#host = host;
    if (options.capabilities.includes('reboot')) this.restart = (signal, line) => this.#restart(signal, line);
  }

  async create(signal: AbortSignal): Promise<void> {
    if (process.getuid?.() !== 0)
      throw new BackendError('no-permission', `the ${this.#options.backend} backend takes root`, {
        remedy: 'run trundle as root, or use the unshare backend',
      });
    this.#options.check?.();
    await this.#options.files.make(signal);
  }

  start(signal: AbortSignal): Promise<void> {
    return withImage(
      () => this.#start(signal),
      async () => {
        await this.#container?.stop(signal);
        await this.#options.files.renew?.(signal);
      },
    );
  }

  async #start(signal: AbortSignal): Promise<void> {
    const before = this.#cgroup;
    this.#cgroup ??= holdCgroup(this.#host);
    const plan = this.#options.plan(this.#cgroup.path);
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
    try {
      this.#container = await Container.prepare({ plan, host: this.#host, ended, endedBefore }, signal);
      await this.#run(this.#container, plan, signal);
    } catch (error) {
      if (before === null && isBeforeCgroup(error)) this.#forgetCgroup();
      throw error;
    }
  }

  /** There is none, and what cannot make one cannot remove one either. */
  #forgetCgroup(): void {
    this.#cgroup?.forget();
    this.#cgroup = null;
  }

  async endpoint(signal: AbortSignal): Promise<Location> {
    if (this.#enter === null) throw new BackendError('not-started', 'the container does not run');
    await this.#closeSession();
    const { session: kind, login, normalUser } = this.#options;
    this.#session = await openSession({ enter: this.#enter, kind, host: this.#host, signal, login, normalUser });
    return { endpoint: this.#session.endpoint, capabilities: this.#options.capabilities };
  }

  async reset(signal: AbortSignal): Promise<void> {
    await this.stop(signal);
    await this.#options.files.remove(signal);
    await this.#options.files.make(signal);
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
    await this.#options.files.remove(signal);
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
    await this.#run(container, this.#options.plan(cgroup.path), signal);
  }

  async #closeSession(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  async #run(container: Container, plan: ContainerPlan, signal: AbortSignal): Promise<void> {
    const enter = await container.start(signal);
    const pid = container.leader ?? 0;
    const argv = [...plan.argv];
    this.observations$.next({ type: 'process.spawned', process: 'container', role: 'main', pid, argv });
    if (plan.boot) await this.#whenUp(enter, pid, signal);
    this.#enter = enter;
  }

  /** Waits until systemd has started all that it means to. Other inits do not tell. */
  async #whenUp(enter: Enter, leader: number, signal: AbortSignal): Promise<void> {
    if (programOf(leader) !== 'systemd') return;
    for (;;) {
      const { stdout } = await askInside(enter, 'exec systemctl is-system-running --wait 2>/dev/null', { signal });
      const state = stdout.trim();
      if (state === 'running') return;
      if (state === 'degraded' || state === 'maintenance') {
        this.#host.console(Buffer.from(`trundle: systemd is ${state}: systemctl --failed tells why\n`));
        return;
      }
      if (programOf(leader) === '') throw new BackendError('init-died', 'the init ended while it booted');
      await pause(ASK_AGAIN, undefined, { signal });
    }
  }
}

/** Whether a container could not come to be for want of what its control group is made in. Pure. */
function isBeforeCgroup(error: unknown): boolean {
  return error instanceof BackendError && ['no-permission', 'no-cgroup2'].includes(error.code);
}
