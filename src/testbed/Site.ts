import type { ConfiguredBackend } from '../backends/index.ts';
import { createDriver, type Driver } from '../driver/index.ts';
import type { Capability, Cause, Clock, Command, Endpoint, EventData, EventDraft, TrundleEvent } from '../events/index.ts';
import { BackendEdge } from './BackendEdge.ts';
import { Commands } from './Commands.ts';

/** What the site of a testbed needs from its run. */
export interface SiteOptions {
  testbed: string;
  run: string;
  backend: ConfiguredBackend;
  clock: Clock;
  append: (draft: EventDraft) => void;
  randomBytes: (size: number) => Uint8Array;
  keep: (stream: string, chunk: Uint8Array) => void;
  log: (message: string, fields?: Record<string, unknown>) => void;
}

type Ready = { ok: true } | { ok: false; cause: Cause };
type Removed = TrundleEvent<'testbed.removed'>;

/** The envelope of an end that never got into the trace. */
const LAST_WORDS = { v: 1, seq: 0, at: 0, run: '', from: 'machine', type: 'testbed.removed' } as const;

/**
 * All that belongs to one testbed outside the machines: the backend's verbs, the SSH driver, the commands in flight,
 * and what its events say so far. It carries out commands and folds events; it decides nothing.
 */
export class Site {
  readonly testbed: string;
  readonly backend: BackendEdge;
  readonly driver: Driver;
  readonly commands: Commands;
  endpoint: Endpoint | null = null;
  capabilities: readonly Capability[] = [];
  cause: Cause | null = null;
  removed: Removed | null = null;
  /** Resources that stand, by id. */
  readonly resources = new Map<string, EventData<'resource.acquired'>>();
  /** Connections that are ready, in the order in which they became so. */
  readonly established = new Set<string>();
  #ready = false;
  readonly #awaitingReady: ((ready: Ready) => void)[] = [];
  readonly #awaitingRemoval: ((removed: Removed) => void)[] = [];

  constructor(options: SiteOptions) {
    const { testbed, clock, append, log, keep } = options;
    this.testbed = testbed;
    this.backend = new BackendEdge({ ...options, emit: append });
    this.driver = createDriver({ testbed, clock, emit: append, log });
    this.commands = new Commands({ testbed, append, keep, resize: (command, size) => this.driver.resize(command, size) });
  }

  /** Resolves when the testbed is ready (again), or has failed. */
  whenReady(): Promise<Ready> {
    if (this.cause !== null) return Promise.resolve({ ok: false, cause: this.cause });
    if (this.#ready) return Promise.resolve({ ok: true });
    return new Promise((resolve) => this.#awaitingReady.push(resolve));
  }

  /** Resolves when nothing of the testbed is left, or nothing more can be done about it. */
  whenRemoved(): Promise<Removed> {
    if (this.removed !== null) return Promise.resolve(this.removed);
    return new Promise((resolve) => this.#awaitingRemoval.push(resolve));
  }

  /** Folds an event of this testbed. */
  observe(event: TrundleEvent): void {
    switch (event.type) {
      case 'backend.readied':
        this.endpoint = event.endpoint;
        this.capabilities = event.capabilities;
        return;
      case 'connection.established':
        this.established.add(event.connection);
        return;
      case 'connection.failed':
      case 'connection.retired':
        this.established.delete(event.connection);
        return;
      case 'resource.acquired':
        this.resources.set(event.resource, event);
        return;
      case 'resource.released':
        this.resources.delete(event.resource);
        return;
      case 'command.concluded':
        this.commands.conclude(event);
        return;
      case 'reboot.requested':
      case 'revert.requested':
        this.#ready = false;
        return;
      case 'testbed.readied':
        this.#ready = true;
        this.#settleReady({ ok: true });
        return;
      case 'testbed.failed':
        this.cause = event.cause;
        this.#settleReady({ ok: false, cause: event.cause });
        return;
      case 'testbed.removed':
        this.#finish(event);
        return;
    }
  }

  /** Carries out a command of this testbed's machines. */
  perform(command: Command): void {
    const { driver } = this;
    switch (command.type) {
      case 'create':
      case 'start':
      case 'locate':
      case 'restart':
      case 'reset':
      case 'stop':
      case 'destroy':
      case 'cancel':
        return this.backend.perform(command);
      case 'dial': {
        const { endpoint } = this.backend;
        // A dial is only ever commanded after an endpoint was announced.
        if (endpoint === null) throw new Error(`no endpoint to dial for ${command.connection}`);
        const { connection, attempt, login } = command;
        return driver.dial({ connection, attempt, login, endpoint });
      }
      case 'hang-up':
        return driver.hangUp(command.connection);
      case 'identify-boot':
        return driver.identifyBoot(command.connection);
      case 'ask-reboot':
        return driver.askReboot(command.connection);
      case 'open-channel': {
        const inFlight = this.commands.find(command.command);
        if (inFlight === null) throw new Error(`no such command ${command.command}`);
        const { connection } = command;
        return driver.openChannel({ command: command.command, connection, spec: inFlight.spec, streams: inFlight.streams });
      }
      case 'signal': {
        const { connection, signal } = command;
        return driver.signal({ command: command.command, connection, signal });
      }
      case 'close-channel':
        return driver.closeChannel(command.command);
    }
  }

  /** The machines are broken and will say no more: ends what runs and tells everybody who waits. */
  fail(error: unknown): void {
    if (this.removed !== null) return;
    const detail = error instanceof Error ? error.message : String(error);
    const cause: Cause = { class: 'internal-error', phase: 'exec', doing: 'running the state machines', detail, evidence: [] };
    this.commands.concludeAll(cause);
    this.driver.abandon();
    void this.backend.destroyNow().then((removed) => {
      const leftovers = removed ? [] : [...this.resources.keys()];
      this.#finish({ ...LAST_WORDS, testbed: this.testbed, leftovers, cause });
    });
  }

  #finish(event: Removed): void {
    this.cause = event.cause ?? this.cause;
    this.removed = event;
    this.#ready = false;
    this.driver.abandon();
    const cause = this.cause ?? { class: 'operator-interrupted', phase: 'teardown', doing: 'opening the testbed', evidence: [event.seq] };
    this.#settleReady({ ok: false, cause });
    for (const resolve of this.#awaitingRemoval.splice(0)) resolve(event);
  }

  #settleReady(ready: Ready): void {
    for (const resolve of this.#awaitingReady.splice(0)) resolve(ready);
  }
}
