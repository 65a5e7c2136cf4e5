import { filter, type Observable } from 'rxjs';
import type { Forward } from '../driver/index.ts';
import type { Capability, Cause, Endpoint, EventDraft, TrundleEvent } from '../events/index.ts';
import { closingOn } from './closingOn.ts';
import { collect } from './collect.ts';
import type {
  ClosedTestbed,
  CommandEnd,
  CopyOptions,
  ExecOptions,
  ExecResult,
  RunningCommand,
  ShellOptions,
  StandingResource,
  Testbed,
} from './contract.ts';
import { TestbedError } from './contract.ts';
import { copy } from './copy.ts';
import { failureOf } from './failureOf.ts';
import { checkClose, checkCommand, checkCopy, checkForward, checkReboot, checkShell } from './givenOptions.ts';
import { interact } from './interact.ts';
import type { Site } from './Site.ts';

/** What a handle needs from its run. */
export interface HandleOptions {
  site: Site;
  endpoint: Endpoint;
  events$: Observable<TrundleEvent>;
  append: (draft: EventDraft) => void;
  redact: (secrets: readonly string[]) => void;
  trace: string | null;
  onClosed?: () => Promise<unknown>;
}

/** An open testbed, as the library's users and the runner hold it. */
export class TestbedHandle implements Testbed {
  readonly id: string;
  readonly endpoint: Endpoint;
  readonly events$: Observable<TrundleEvent>;
  readonly #options: HandleOptions;
  readonly #site: Site;
  #copies = 0;
  #forwards = 0;
  #closing: Promise<ClosedTestbed> | null = null;

  constructor(options: HandleOptions) {
    this.#options = options;
    this.#site = options.site;
    this.id = options.site.testbed;
    this.endpoint = options.endpoint;
    this.events$ = options.events$.pipe(filter((event) => event.testbed === this.id));
  }

  get capabilities(): readonly Capability[] {
    return this.#site.capabilities;
  }

  start(command: readonly string[] | string, options: ExecOptions = {}): RunningCommand {
    checkCommand('start', command, options);
    return this.#start(command, options);
  }

  #start(command: readonly string[] | string, options: ExecOptions): RunningCommand {
    this.#mustBeOpen();
    if (options.secrets !== undefined) this.#options.redact(options.secrets);
    return this.#site.commands.start(command, options);
  }

  async exec(command: readonly string[] | string, options: ExecOptions = {}): Promise<ExecResult> {
    checkCommand('exec', command, options);
    const running = this.#start(command, options);
    const [stdout, stderr, end] = await Promise.all([collect(running.stdout), collect(running.stderr), running.ended]);
    if (end.result.kind === 'exited' || end.result.kind === 'signalled') {
      const status = end.result.kind === 'exited' ? end.result.status : null;
      const signal = end.result.kind === 'signalled' ? end.result.signal : null;
      return { status, signal, stdout, stderr, leaked: end.leaked };
    }
    throw this.#errorOf(end);
  }

  copyDown(from: string, to: string, options: CopyOptions = {}): Promise<void> {
    return this.#copy('down', from, to, options);
  }

  copyUp(from: string, to: string, options: CopyOptions = {}): Promise<void> {
    return this.#copy('up', from, to, options);
  }

  async shell(options: ShellOptions): Promise<CommandEnd> {
    checkShell(options);
    this.#mustBeOpen();
    return await interact(this.#site.commands, options);
  }

  async forward(
    direction: 'local' | 'remote',
    listen: { host: string; port: number },
    connect: { host: string; port: number },
    options: { signal?: AbortSignal } = {},
  ): Promise<Forward> {
    checkForward(direction, listen, connect, options);
    this.#mustBeOpen();
    const [connection] = this.#site.established;
    if (connection === undefined) throw this.#failure('the testbed has no connection to forward over');
    this.#forwards += 1;
    const doing = `forwarding ${listen.host}:${listen.port} to ${connect.host}:${connect.port}`;
    const opening = this.#site.driver.forward({
      forward: `${this.id}.f${this.#forwards}`,
      connection,
      direction,
      listen,
      connect,
    });
    try {
      return await closingOn(options.signal, opening);
    } catch (error) {
      throw this.#failure(`${doing}: ${failureOf(error).message}`, {
        class: options.signal?.aborted === true ? 'operator-interrupted' : 'channel-refused',
        doing,
      });
    }
  }

  async reboot(options: { signal?: AbortSignal; line?: string } = {}): Promise<void> {
    checkReboot('reboot', options);
    this.#mustBeOpen();
    this.#mustBeAble('reboot');
    const how = this.#site.backend.canRestart ? 'backend' : 'guest';
    this.#options.append({
      type: 'reboot.requested',
      testbed: this.id,
      from: 'runner',
      how,
      ...(options.line === undefined ? {} : { line: options.line }),
    });
    await this.#readyAgain(options.signal);
  }

  async revert(options: { signal?: AbortSignal } = {}): Promise<void> {
    checkReboot('revert', options);
    this.#mustBeOpen();
    this.#mustBeAble('revert');
    this.#options.append({ type: 'revert.requested', testbed: this.id, from: 'runner' });
    await this.#readyAgain(options.signal);
  }

  close(options: { force?: boolean; keep?: boolean; reason?: string } = {}): Promise<ClosedTestbed> {
    checkClose(options);
    const { force = false, keep = false, reason = 'closed' } = options;
    if (this.#closing === null || force) {
      this.#options.append({
        type: 'teardown.requested',
        testbed: this.id,
        from: 'runner',
        reason,
        force,
        ...(keep ? { keep } : {}),
      });
    }
    this.#closing ??= this.#whenClosed(keep);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #whenClosed(keep: boolean): Promise<ClosedTestbed> {
    const end = await this.#site.whenRemoved();
    await this.#options.onClosed?.();
    const common = { id: this.id, cause: this.#site.cause, trace: this.#options.trace };
    if (end.type === 'testbed.kept') {
      const kept = { testbed: this.id, enter: end.enter, resources: this.#standing(end.resources) };
      return { ...common, leftovers: [], kept, whyNotKept: null };
    }
    return {
      ...common,
      leftovers: this.#standing(end.leftovers),
      kept: null,
      whyNotKept: keep ? (this.#site.whyNotKept ?? 'it was not up') : null,
    };
  }

  #standing(ids: readonly string[]): StandingResource[] {
    return ids.flatMap((id) => {
      const resource = this.#site.resources.get(id);
      if (resource === undefined) return [];
      return [{ resource: id, kind: resource.kind, name: resource.name, release: resource.release ?? null }];
    });
  }

  async #copy(direction: 'down' | 'up', from: string, to: string, options: CopyOptions): Promise<void> {
    checkCopy(direction === 'down' ? 'copyDown' : 'copyUp', from, to, options);
    this.#mustBeOpen();
    this.#copies += 1;
    const cause = await copy({
      site: this.#site,
      append: this.#options.append,
      id: `${this.id}.y${this.#copies}`,
      direction,
      from,
      to,
      options,
    });
    if (cause === null) return;
    const better = this.#site.cause ?? cause;
    throw new TestbedError(this.id, better, `copying ${from} to ${to}: ${better.detail ?? better.class}`);
  }

  async #readyAgain(signal: AbortSignal | undefined): Promise<void> {
    const giveUp = () => void this.close({ reason: String(signal?.reason?.message ?? signal?.reason) });
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted) giveUp();
    const ready = await this.#site.whenReadyAgain();
    signal?.removeEventListener('abort', giveUp);
    if (!ready.ok)
      throw new TestbedError(this.id, ready.cause, `${ready.cause.doing}: ${ready.cause.detail ?? ready.cause.class}`);
  }

  #errorOf(end: CommandEnd): TestbedError {
    const { result } = end;
    const unfinished = causeOfUnfinished(end);
    const cause =
      result.kind === 'lost' || result.kind === 'refused' ? (this.#site.cause ?? end.cause ?? unfinished) : unfinished;
    return new TestbedError(this.id, cause, `${cause.doing}: ${cause.detail ?? cause.class}`, result);
  }

  #mustBeOpen(): void {
    if (this.#closing !== null || this.#site.removed !== null) throw this.#failure(`testbed ${this.id} is closed`);
  }

  #mustBeAble(capability: Capability): void {
    if (!this.capabilities.includes(capability)) {
      throw this.#failure(
        `testbed ${this.id} lacks the capability ${capability}; it has: ${this.capabilities.join(', ') || 'none'}`,
      );
    }
  }

  #failure(message: string, what: Partial<Cause> = {}): TestbedError {
    const cause: Cause = this.#site.cause ?? {
      class: 'internal-error',
      phase: 'exec',
      doing: 'using the testbed',
      detail: message,
      evidence: [],
      ...what,
    };
    return new TestbedError(this.id, cause, message);
  }
}

/** The cause of a command that was ended from our side. Pure. */
function causeOfUnfinished({ command, result, reason }: CommandEnd): Cause {
  const doing = `running ${command}`;
  if (result.kind === 'timed-out') {
    return {
      class: 'deadline-expired',
      phase: 'exec',
      doing,
      detail: `not done within ${result.after} ms`,
      evidence: [],
    };
  }
  const detail = reason === undefined ? 'it was cancelled' : `it was cancelled: ${reason}`;
  return { class: 'operator-interrupted', phase: 'exec', doing, detail, evidence: [] };
}
