import { randomBytes as cryptoRandomBytes } from 'node:crypto';
import { map } from 'rxjs';
import type { ConfiguredBackend } from '../backends/index.ts';
import {
  type Cause,
  type Command,
  classOfUnwritable,
  type EventDraft,
  exitCodeOf,
  type Phase,
  systemClock,
  type TrundleEvent,
  VERSION,
} from '../events/index.ts';
import {
  createHeader,
  createRecorder,
  type FileRecorder,
  foldStage,
  type RecorderError,
  Redactor,
} from '../trace/index.ts';
import type { OpenOptions, Testbed } from './contract.ts';
import { TestbedError } from './contract.ts';
import { Deadlines } from './Deadlines.ts';
import { failureOf } from './failureOf.ts';
import { checkBackend, checkOpen, checkRun } from './givenOptions.ts';
import { Journal } from './Journal.ts';
import type { Run, RunEnd, RunOptions } from './runContract.ts';
import { Site } from './Site.ts';
import { TestbedHandle } from './TestbedHandle.ts';

/** How many connections a testbed's pool may hold where nothing else is said. */
const MAX_CONNECTIONS = 8;
/** Bytes of each stream that the trace keeps. */
const STREAM_LIMIT = 64 * 1024 * 1024;

/**
 * Begins a run: opens its trace and wakes its machines. Nothing is provisioned yet.
 * @throws TraceError where the trace cannot be written
 * @throws TypeError for options of another kind
 */
export function createRun(options: RunOptions): Run {
  checkRun(options);
  return new LiveRun(options);
}

class LiveRun implements Run {
  readonly id: string;
  readonly trace: string | null;
  cause: Cause | null = null;
  readonly #options: RunOptions;
  readonly #journal: Journal;
  readonly #deadlines: Deadlines;
  readonly #recorder: FileRecorder | null;
  readonly #redactor = new Redactor();
  readonly #sites = new Map<string, Site>();
  /** Streams of which the trace no longer keeps the bytes. */
  readonly #cut = new Set<string>();
  readonly #abort = new AbortController();
  readonly #force = new AbortController();
  #end: RunEnd | null = null;
  #closing: Promise<RunEnd> | null = null;
  /** Set once the machines are broken: nobody else will say how the run ended. */
  #broken: Cause | null = null;
  /** Why the trace could not be written to its end. */
  #untraced: Cause | null = null;
  /** Nothing of the run stands any more; only its end is still to be told. */
  #ending = false;
  /** Testbeds that are being opened: nobody has a handle to close them yet. */
  readonly #opening = new Set<Site>();
  #made = 0;
  readonly #stage = foldStage();

  constructor(options: RunOptions) {
    this.#options = options;
    const clock = options.clock ?? systemClock;
    this.id = options.id ?? Buffer.from(this.#randomBytes(5)).toString('hex');
    this.trace = options.trace;
    this.#recorder = options.trace === null ? null : this.#record(options.trace);
    this.#journal = new Journal({
      run: this.id,
      clock,
      recorder: this.#recorder,
      perform: (command) => this.#perform(command),
      onFatal: (error) => this.#fatal(error),
    });
    this.#deadlines = new Deadlines(clock, (draft) => this.emit(draft));
    this.#journal.events$.subscribe((event) => this.#observe(event));
    if (options.secrets !== undefined) this.redact(options.secrets);
  }

  get events$() {
    return this.#journal.events$.pipe(map((event) => this.#redactor.event(event)));
  }

  get decisions$() {
    return this.#journal.decisions$.pipe(map((decision) => this.#redactor.event(decision)));
  }

  get aborted(): AbortSignal {
    return this.#abort.signal;
  }

  get forced(): AbortSignal {
    return this.#force.signal;
  }

  emit(draft: EventDraft): void {
    this.#journal.append(draft.type === 'operator.signalled' ? { ...this.#whereItIs(), ...draft } : draft);
  }

  redact(secrets: readonly string[]): void {
    this.#recorder?.redact(secrets);
    for (const warning of this.#redactor.add(secrets)) this.#log(warning);
  }

  async openTestbed(backend: ConfiguredBackend, options: OpenOptions = {}): Promise<Testbed> {
    checkBackend('openTestbed: backend', backend);
    checkOpen('openTestbed: options', options);
    this.#made += 1;
    const testbed = `tb${this.#made}`;
    if (this.#closing !== null || this.#broken !== null) throw this.#closedTo(testbed);
    const { maxConnections = MAX_CONNECTIONS, signal, onClosed } = options;
    const deadlines = { ...backend.deadlines?.(), ...options.deadlines };
    const of = options.package === undefined ? {} : { package: options.package };
    const site = this.#found(testbed, backend, of);
    this.#opening.add(site);
    this.emit({
      type: 'testbed.requested',
      testbed,
      from: 'runner',
      backend: backend.name,
      deadlines,
      maxConnections,
    });
    if (of.package !== undefined) this.emit({ type: 'testbed.assigned', testbed, from: 'runner', package: of.package });
    const tearDown = (reason: string) =>
      this.emit({ type: 'teardown.requested', testbed, from: 'runner', reason, force: false });
    const giveUp = () => tearDown(String(signal?.reason?.message ?? signal?.reason));
    signal?.addEventListener('abort', giveUp, { once: true });
    void site.whenRemoved().then(() => signal?.removeEventListener('abort', giveUp));
    if (signal?.aborted) giveUp();
    // The operator's signal came before the testbed was asked for.
    if (this.aborted.aborted) tearDown(String(this.aborted.reason.message));
    const ready = await site.whenReady();
    this.#opening.delete(site);
    if (ready.ok && site.endpoint !== null) {
      return new TestbedHandle({
        site,
        endpoint: site.endpoint,
        events$: this.events$,
        append: (draft) => this.emit(draft),
        redact: (secrets) => this.redact(secrets),
        trace: this.trace,
        ...(onClosed === undefined ? {} : { onClosed }),
      });
    }
    if (site.removed === null) tearDown('it did not become ready');
    await site.whenRemoved();
    const first = ready.ok ? null : ready.cause;
    const cause = site.cause ??
      first ?? { class: 'internal-error', phase: 'provision', doing: 'opening the testbed', evidence: [] };
    throw new TestbedError(testbed, cause, `${cause.doing}: ${cause.detail ?? cause.class}`);
  }

  #closedTo(testbed: string): TestbedError {
    const doing = 'opening a testbed';
    const detail = 'the run is closed: no testbed can be opened in it';
    const none: Cause = { class: 'internal-error', phase: 'provision', doing, detail, evidence: [] };
    return new TestbedError(testbed, this.#broken ?? none, `${doing}: ${detail}`);
  }

  /** Makes the site of a testbed; a backend that cannot even be opened is a cause like any other. */
  #found(testbed: string, backend: ConfiguredBackend, of: { package?: string }): Site {
    try {
      const site = new Site({
        testbed,
        run: this.id,
        backend,
        clock: this.#options.clock ?? systemClock,
        append: (draft) => this.emit(draft),
        randomBytes: (size) => this.#randomBytes(size),
        keep: (stream, chunk) => this.#keep(testbed, stream, chunk),
        redact: (secrets) => this.redact(secrets),
        log: (message, fields) => this.#log(message, { testbed, ...fields }),
      });
      this.#sites.set(testbed, site);
      return site;
    } catch (error) {
      const doing = `opening backend ${backend.name}`;
      const cause: Cause = {
        class: 'provision-failed',
        phase: 'provision',
        doing,
        detail: failureOf(error).message,
        evidence: [],
      };
      this.emit({ type: 'step.failed', testbed, from: 'runner', doing, cause, ...of });
      throw new TestbedError(testbed, cause, `${doing}: ${cause.detail}`);
    }
  }

  close(): Promise<RunEnd> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<RunEnd> {
    const sites = [...this.#sites.values()];
    for (const { testbed } of sites) {
      this.emit({ type: 'teardown.requested', testbed, from: 'runner', reason: 'the run ends', force: false });
    }
    await Promise.all(sites.map((site) => site.whenRemoved()));
    this.#ending = true;
    this.emit({ type: 'run.finished', testbed: null, from: 'runner' });
    if (this.#broken !== null) {
      this.emit({
        type: 'run.concluded',
        testbed: null,
        from: 'runner',
        exitCode: exitCodeOf(this.#broken.class),
        cause: this.#broken,
      });
    }
    this.#finish();
    const end = this.#end ?? { exitCode: 20, cause: this.cause, trace: this.trace };
    if (end.cause !== null || this.#untraced === null) return end;
    // Only the last words could not be written, so no machine knows of it.
    return { ...end, exitCode: exitCodeOf(this.#untraced.class), cause: this.#untraced };
  }

  #finish(): void {
    this.#deadlines.clear();
    this.#journal.close();
    this.#recorder?.close();
  }

  #record(directory: string): FileRecorder {
    return createRecorder({
      directory,
      header: createHeader({ run: this.id, trundle: VERSION, now: new Date() }),
      streamLimit: STREAM_LIMIT,
      clock: this.#options.clock ?? systemClock,
      onError: (error) => this.#untraceable(error),
    });
  }

  /** A run whose facts nobody can read later must not go on: should it be killed, nobody could remove what it has. */
  #untraceable({ message, code }: RecorderError): void {
    this.#log(message, { code });
    const doing = 'writing the trace';
    this.#untraced = {
      class: classOfUnwritable(code),
      phase: 'exec',
      doing,
      detail: message,
      evidence: [],
    };
    // All is over but the last words.
    if (this.#ending) return;
    this.emit({ type: 'step.failed', testbed: null, from: 'runner', doing, cause: this.#untraced });
    this.#stop(message, false);
  }

  /** Where the run is when somebody ends it: no machine knows that of all testbeds. */
  #whereItIs(): { phase: Phase; doing: string } {
    const { phase, doing } = this.#stage.result();
    return { phase, doing };
  }

  #observe(event: TrundleEvent): void {
    this.#stage.see(event);
    if (event.testbed !== null) this.#sites.get(event.testbed)?.observe(event);
    if (event.type === 'run.concluded') {
      this.cause = event.cause;
      this.#end = { exitCode: event.exitCode, cause: event.cause, trace: this.trace };
    } else if (event.type === 'testbed.failed') this.cause ??= event.cause;
    else if ((event.type === 'testbed.removed' || event.type === 'testbed.kept') && event.testbed !== null)
      this.#sites.delete(event.testbed);
  }

  #perform(command: Command): void {
    switch (command.type) {
      case 'arm':
        this.#deadlines.arm(command);
        return;
      case 'disarm':
        this.#deadlines.disarm(command);
        return;
      case 'abort':
        this.#stop(command.reason, command.force);
        return;
      default:
        this.#sites.get(command.testbed)?.perform(command);
        return;
    }
  }

  /** In order: whoever holds a testbed ends what it does there and closes it. By force: nobody is waited for. */
  #stop(reason: string, force: boolean): void {
    const error = new Error(reason);
    this.#abort.abort(error);
    if (force) this.#force.abort(error);
    for (const site of force ? this.#sites.values() : this.#opening) {
      this.emit({ type: 'teardown.requested', testbed: site.testbed, from: 'runner', reason, force });
    }
  }

  #keep(testbed: string, stream: string, chunk: Uint8Array): void {
    if (this.#recorder === null || this.#recorder.bytes(stream, chunk)) return;
    this.#truncated(testbed, stream);
  }

  #truncated(testbed: string, stream: string): void {
    if (this.#cut.has(stream) || this.#recorder === null || this.#recorder.error !== null) return;
    this.#cut.add(stream);
    this.emit({ type: 'stream.truncated', testbed, from: 'runner', stream, limit: STREAM_LIMIT });
  }

  /** A bug in a machine: nobody decides any more, so all that is left is to end what runs. */
  #fatal(error: unknown): void {
    this.#log(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    const detail = error instanceof Error ? error.message : String(error);
    const cause: Cause = {
      class: 'internal-error',
      phase: 'exec',
      doing: 'running the state machines',
      detail,
      evidence: [],
    };
    this.#broken = cause;
    this.cause ??= cause;
    this.#deadlines.clear();
    for (const site of this.#sites.values()) site.fail(cause);
    this.#abort.abort(error);
  }

  #randomBytes(size: number): Uint8Array {
    return this.#options.randomBytes?.(size) ?? cryptoRandomBytes(size);
  }

  #log(message: string, fields?: Record<string, unknown>): void {
    this.#options.log?.(message, fields);
  }
}
