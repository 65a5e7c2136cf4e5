import { mkdir, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import type { Subscription } from 'rxjs';
import {
  BackendError,
  type BackendHost,
  type BackendVerbs,
  type ConfiguredBackend,
  type Observation,
} from '../backends/index.ts';
import type { Clock, Command, Emit, EventData, EventDraft, EventType, ReachableEndpoint } from '../events/index.ts';
import { failureOf } from './failureOf.ts';
import { mustBe, texts } from './given.ts';
import { LineSplitter } from './LineSplitter.ts';
import { locationOf, observationOf } from './observed.ts';

/** Milliseconds for a removal that no machine watches over. */
const UNWATCHED_REMOVAL = 60_000;

/** What the edge to a backend needs. */
export interface BackendEdgeOptions {
  testbed: string;
  run: string;
  backend: ConfiguredBackend;
  clock: Clock;
  emit: Emit;
  randomBytes: (size: number) => Uint8Array;
  /** Keeps raw bytes of a stream in the trace. */
  keep: (stream: string, chunk: Uint8Array) => void;
  /** Strings that must not be written from now on. */
  redact: (secrets: readonly string[]) => void;
  /** An SSH server that may be dialled before its turn. */
  anticipate: (endpoint: ReachableEndpoint) => void;
  log: (message: string, fields?: Record<string, unknown>) => void;
}

type VerbCommand = Extract<
  Command,
  { type: 'create' | 'start' | 'locate' | 'restart' | 'reset' | 'stop' | 'destroy' | 'keep' }
>;
type Ends = { done: EventDraft['type']; failed: EventDraft['type'] };

const ENDS: Record<Exclude<VerbCommand['type'], 'locate'>, Ends> = {
  create: { done: 'provision.completed', failed: 'provision.failed' },
  start: { done: 'boot.completed', failed: 'boot.failed' },
  restart: { done: 'restart.completed', failed: 'restart.failed' },
  reset: { done: 'reset.completed', failed: 'reset.failed' },
  stop: { done: 'shutdown.completed', failed: 'shutdown.failed' },
  destroy: { done: 'destruction.completed', failed: 'destruction.failed' },
  keep: { done: 'keeping.completed', failed: 'keeping.failed' },
};

/** What the system says of a place where no directory can be made. */
const UNFIT: readonly string[] = ['ENOENT', 'ENOTDIR', 'EACCES', 'EROFS'];

/** Carries out the backend machine's commands by the backend's verbs, and tells what the backend sees as events. */
export class BackendEdge {
  /** The endpoint as last announced, with its credentials. */
  endpoint: ReachableEndpoint | null = null;
  readonly #options: BackendEdgeOptions;
  readonly #workDirectory: string;
  readonly #verbs: BackendVerbs;
  readonly #subscription: Subscription;
  readonly #console: LineSplitter;
  #aborter: AbortController | null = null;
  #resources = 0;
  #releaseDirectory: (() => void) | null = null;
  #disposed = false;

  constructor(options: BackendEdgeOptions) {
    this.#options = options;
    // Commands that are started elsewhere, and reap later, are to find it too.
    this.#workDirectory = resolve(tmpdir(), `trundle-${options.run}-${options.testbed}`);
    this.#console = new LineSplitter((line) => this.#emit({ type: 'console.printed', line }));
    this.#verbs = options.backend.open(this.#host());
    this.#subscription = this.#verbs.observations$.subscribe({
      next: (observation) => this.#observe(observation),
      error: (error: unknown) =>
        this.#emit({ type: 'guest.stopped', reason: `the backend's observations failed: ${String(error)}` }),
    });
  }

  /** Whether the backend can restart the testbed from outside. */
  get canRestart(): boolean {
    return this.#verbs.restart !== undefined;
  }

  perform(command: VerbCommand | Extract<Command, { type: 'cancel' }>): void {
    if (command.type === 'cancel') this.#aborter?.abort(new Error('cancelled'));
    else void this.#call(command.type, command.type === 'restart' ? command.line : undefined);
  }

  /** Removes the testbed without machines to watch over it. What stays is what no `resource.released` was told of. */
  async destroyNow(): Promise<void> {
    this.#aborter?.abort(new Error('the machines are broken'));
    const { clock, log } = this.#options;
    const aborter = new AbortController();
    const removal = async () => {
      await this.#verbs.stop(aborter.signal).catch((error: unknown) => log('stop failed', { error: String(error) }));
      await this.#run('destroy', aborter.signal);
    };
    await new Promise<void>((resolve) => {
      const timer = clock.after(UNWATCHED_REMOVAL, () => {
        aborter.abort(new Error('it takes too long'));
        resolve();
      });
      void removal()
        .catch((error: unknown) => log('destroy failed', { error: String(error) }))
        .finally(() => {
          clock.clear(timer);
          resolve();
        });
    });
  }

  /** Stops listening to the backend: the testbed is gone, or nothing more can be done about it. */
  dispose(): void {
    this.#disposed = true;
    this.#aborter?.abort(new Error('the testbed is given up'));
    this.#subscription.unsubscribe();
    this.#console.end();
  }

  async #call(verb: VerbCommand['type'], line?: string): Promise<void> {
    // One verb at a time: what the machine has stopped waiting for is told to stop.
    this.#aborter?.abort(new Error(`${verb} comes instead`));
    const aborter = new AbortController();
    this.#aborter = aborter;
    // The verb begins once the event that led here has been taken in: a resource it acquires is then written at once.
    await null;
    try {
      if (verb === 'locate') await this.#locate(aborter.signal);
      else if (verb === 'keep') await this.#keep(aborter.signal);
      else {
        await this.#run(verb, aborter.signal, line);
        this.#over(aborter.signal);
        this.#emit({ type: ENDS[verb].done } as never);
      }
    } catch (error) {
      this.#over(aborter.signal);
      const type = verb === 'locate' ? 'endpoint.failed' : ENDS[verb].failed;
      this.#emit({ type, failure: failureOf(error) } as never);
    }
  }

  /** A verb has ended: the one that its end leads to does not tell it to stop. */
  #over(signal: AbortSignal): void {
    if (this.#aborter?.signal === signal) this.#aborter = null;
  }

  async #locate(signal: AbortSignal): Promise<void> {
    const { endpoint, capabilities } = locationOf(await this.#verbs.endpoint(signal));
    this.#over(signal);
    this.endpoint = endpoint;
    const { credentials, connect: _live, running: _waiting, ...open } = endpoint;
    this.#options.redact([credentials.password, credentials.passphrase].filter((secret) => secret !== undefined));
    this.#emit({ type: 'endpoint.announced', endpoint: open, capabilities: [...capabilities] });
  }

  async #keep(signal: AbortSignal): Promise<void> {
    if (this.#verbs.keep === undefined) throw unsupported('keep');
    const { enter } = await this.#verbs.keep(signal);
    mustBe('enter of what keep() gives', enter, texts);
    await this.#leaveWorkDirectory();
    this.#over(signal);
    this.#emit({ type: 'keeping.completed', enter: [...enter] });
  }

  async #run(verb: Exclude<VerbCommand['type'], 'locate' | 'keep'>, signal: AbortSignal, line?: string): Promise<void> {
    if (verb === 'create') await this.#makeWorkDirectory();
    const method = this.#verbs[verb];
    if (method === undefined) throw unsupported(verb);
    await method.call(this.#verbs, signal, line);
    if (verb === 'destroy') await this.#removeWorkDirectory();
  }

  async #makeWorkDirectory(): Promise<void> {
    const release = this.#acquire({ kind: 'directory', name: this.#workDirectory });
    try {
      await mkdir(this.#workDirectory, { mode: 0o700 });
    } catch (error) {
      // Not made by us, so not ours to remove.
      release();
      const { code = '', message } = error as NodeJS.ErrnoException;
      if (!UNFIT.includes(code)) throw error;
      const remedy = `set TMPDIR to a directory that is there and can be written to; now it is ${tmpdir()}`;
      throw new BackendError(code, message, { remedy });
    }
    this.#releaseDirectory = release;
  }

  async #removeWorkDirectory(): Promise<void> {
    if (this.#releaseDirectory === null) return;
    await rm(this.#workDirectory, { recursive: true, force: true });
    this.#releaseDirectory();
    this.#releaseDirectory = null;
  }

  /** What is kept may be in it; else there is no need for it to stay. */
  async #leaveWorkDirectory(): Promise<void> {
    if (this.#releaseDirectory === null) return;
    try {
      await rmdir(this.#workDirectory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOTEMPTY') return;
      throw error;
    }
    this.#releaseDirectory();
    this.#releaseDirectory = null;
  }

  #host(): BackendHost {
    const { testbed, run, clock, randomBytes, anticipate, log, keep } = this.#options;
    return {
      testbed,
      run,
      clock,
      workDirectory: this.#workDirectory,
      randomBytes,
      anticipate: (endpoint) => {
        // Nobody would hang it up once the testbed is gone.
        if (!this.#disposed) anticipate(endpoint);
      },
      log,
      console: (chunk) => {
        keep(`${testbed}.console`, chunk);
        this.#console.write(chunk);
      },
      acquire: (resource) => this.#acquire(resource),
    };
  }

  #acquire(resource: Parameters<BackendHost['acquire']>[0]): () => void {
    const id = `${this.#options.testbed}.r${this.#resources + 1}`;
    const acquired = observationOf({ ...resource, type: 'resource.acquired', resource: id });
    this.#resources += 1;
    this.#emit(acquired);
    let held = true;
    return () => {
      if (held) this.#emit({ type: 'resource.released', resource: id });
      held = false;
    };
  }

  /** What cannot be understood ends the testbed: who wrote the backend is told so, and the trace stays one. */
  #observe(told: unknown): void {
    let observation: Observation;
    try {
      observation = observationOf(told);
    } catch (error) {
      const { name } = this.#options.backend;
      const reason = `the backend ${name} tells what nobody understands: ${failureOf(error).message}`;
      observation = { type: 'guest.stopped', reason };
    }
    this.#emit(observation);
  }

  #emit<T extends EventType>(event: { type: T } & EventData<T>): void {
    this.#options.emit({ testbed: this.#options.testbed, from: 'backend', ...event } as unknown as EventDraft);
  }
}

function unsupported(verb: string): Error {
  return Object.assign(new Error(`this backend has no verb ${verb}`), { code: 'unsupported' });
}
