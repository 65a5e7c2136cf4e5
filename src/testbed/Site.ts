import type { ConfiguredBackend } from '../backends/index.ts';
import { createDriver, type Driver } from '../driver/index.ts';
import type {
  Capability,
  Cause,
  Clock,
  Command,
  Endpoint,
  EventData,
  EventDraft,
  Phase,
  TrundleEvent,
} from '../events/index.ts';
import { makeReadyForCommands } from '../machines/index.ts';
import { foldStage } from '../trace/pure.ts';
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
  /** Strings that must not be written from now on. */
  redact: (secrets: readonly string[]) => void;
  log: (message: string, fields?: Record<string, unknown>) => void;
}

/** Resources that are there as soon as they are asked for; nobody waits for them. */
const AT_ONCE: ReadonlySet<string> = new Set(['directory', 'file', 'cgroup']);

type Ready = { ok: true } | { ok: false; cause: Cause };
type Removed = TrundleEvent<'testbed.removed' | 'testbed.kept'>;

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
  /** Why it was removed although it should stay. */
  whyNotKept: string | null = null;
  /** Resources that stand, by id. */
  readonly resources = new Map<string, EventData<'resource.acquired'>>();
  /** Connections that are ready, in the order in which they became so. */
  readonly established = new Set<string>();
  readonly #append: (draft: EventDraft) => void;
  readonly #stage = foldStage();
  /** Why somebody first wanted it gone, and what was going on then. */
  #unwanted: { readonly reason: string; readonly phase: Phase; readonly doing: string } | null = null;
  #ready = false;
  #prepared = false;
  readonly #awaitingReady: ((ready: Ready) => void)[] = [];
  readonly #awaitingRemoval: ((removed: Removed) => void)[] = [];

  constructor(options: SiteOptions) {
    const { testbed, clock, append, log, keep } = options;
    this.testbed = testbed;
    this.#append = append;
    this.backend = new BackendEdge({
      ...options,
      emit: append,
      anticipate: (ahead) => this.driver.anticipate({ login: ahead.login, endpoint: ahead }),
    });
    this.driver = createDriver({ testbed, clock, emit: append, log });
    this.commands = new Commands({
      testbed,
      append,
      keep,
      resize: (command, size) => this.driver.resize(command, size),
    });
  }

  /** Resolves when the testbed is ready, or will not be. */
  whenReady(): Promise<Ready> {
    return this.#ready ? Promise.resolve({ ok: true }) : this.whenReadyAgain();
  }

  /** Resolves when the testbed is ready the next time, or will not be: for what takes it out of service. */
  whenReadyAgain(): Promise<Ready> {
    const cause = this.removed === null ? this.cause : this.#causeOfEnd(this.removed);
    if (cause !== null) return Promise.resolve({ ok: false, cause });
    return new Promise((resolve) => this.#awaitingReady.push(resolve));
  }

  /** Resolves when nothing of the testbed is left, or nothing more can be done about it, or it is left on purpose. */
  whenRemoved(): Promise<Removed> {
    if (this.removed !== null) return Promise.resolve(this.removed);
    return new Promise((resolve) => this.#awaitingRemoval.push(resolve));
  }

  /** Folds an event of this testbed. */
  observe(event: TrundleEvent): void {
    if (event.type === 'teardown.requested') this.#noteUnwanted(event.reason);
    this.#stage.see(event);
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
        if (!AT_ONCE.has(event.kind)) this.#useTheWait();
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
      case 'keeping.failed':
        this.whyNotKept ??= event.failure.message;
        return;
      case 'deadline.expired':
        if (event.deadline === 'keep') this.whyNotKept ??= `its backend did not let go of it within ${event.after} ms`;
        return;
      case 'testbed.removed':
      case 'testbed.kept':
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
      case 'keep':
      case 'cancel':
        this.backend.perform(command);
        return;
      case 'dial': {
        const { endpoint } = this.backend;
        // A dial is only ever commanded after an endpoint was announced.
        if (endpoint === null) throw new Error(`no endpoint to dial for ${command.connection}`);
        const { connection, attempt, login } = command;
        driver.dial({ connection, attempt, login, endpoint });
        return;
      }
      case 'hang-up':
        driver.hangUp(command.connection);
        return;
      case 'identify-boot':
        driver.identifyBoot(command.connection);
        return;
      case 'ask-reboot':
        driver.askReboot(command.connection, command.line);
        return;
      case 'open-channel': {
        const inFlight = this.commands.find(command.command);
        if (inFlight === null) throw new Error(`no such command ${command.command}`);
        const { connection } = command;
        driver.openChannel({
          command: command.command,
          connection,
          spec: inFlight.spec,
          streams: inFlight.streams,
        });
        return;
      }
      case 'signal': {
        const { connection, signal } = command;
        const by = this.commands.find(command.command)?.sweepBy;
        driver.signal({ command: command.command, connection, signal, by });
        return;
      }
      case 'close-channel':
        driver.closeChannel(command.command);
        return;
    }
  }

  /** The machines are broken and will say no more: ends what runs, and tells in their place that the testbed is gone. */
  fail(cause: Cause): void {
    if (this.removed !== null) return;
    this.commands.concludeAll(cause);
    this.driver.abandon();
    void this.backend.destroyNow().then(() => {
      const leftovers = [...this.resources.keys()];
      this.#append({ type: 'testbed.removed', testbed: this.testbed, from: 'runner', leftovers, cause });
    });
  }

  /** Something is being made, which takes its time: until then all that is loaded for a connection costs nothing. */
  #useTheWait(): void {
    if (this.#prepared) return;
    this.#prepared = true;
    // One after the other, lest an answer wait for both.
    setImmediate(() => {
      this.driver.prepare();
      setImmediate(makeReadyForCommands);
    });
  }

  #noteUnwanted(reason: string): void {
    const { phase, doing } = this.#stage.result();
    // One that is open is only taken down.
    const open = phase === 'exec' || phase === 'copy' || phase === 'plan' || phase === 'teardown';
    this.#unwanted ??= open ? { reason, phase: 'teardown', doing: 'using the testbed' } : { reason, phase, doing };
  }

  #finish(event: Removed): void {
    if (event.type === 'testbed.removed') this.cause = event.cause ?? this.cause;
    this.removed = event;
    this.#ready = false;
    this.driver.abandon();
    this.backend.dispose();
    const cause = this.#causeOfEnd(event);
    this.commands.concludeAll(cause);
    this.#settleReady({ ok: false, cause });
    for (const resolve of this.#awaitingRemoval.splice(0)) resolve(event);
  }

  /** Why a testbed that is gone cannot be used: it failed, or somebody wanted it gone. */
  #causeOfEnd(removed: Removed): Cause {
    const { phase = 'teardown', doing = 'using the testbed', reason = null } = this.#unwanted ?? {};
    const detail = `it was torn down${reason === null ? '' : `: ${reason}`}`;
    return this.cause ?? { class: 'operator-interrupted', phase, doing, detail, evidence: [removed.seq] };
  }

  #settleReady(ready: Ready): void {
    for (const resolve of this.#awaitingReady.splice(0)) resolve(ready);
  }
}
