import { Subject } from 'rxjs';
import type { Capability } from '../../events/index.ts';
import { WAIT_BOOTED } from '../containers/commands.ts';
import {
  BackendError,
  type BackendHost,
  type BackendVerbs,
  type KeptPlace,
  type Location,
  type Observation,
} from '../contract.ts';
import { afterCreation, runCreation } from '../shared/creation.ts';
import { calledElsewhere } from '../shared/elsewhere.ts';
import { askInside, QUESTION_LIMIT, shellInside } from '../shared/enter.ts';
import { lastLine, mustRun, type ProgramResult, runProgram } from '../shared/runProgram.ts';
import { type GuestSession, openSession } from '../shared/session/openSession.ts';
import {
  type Client,
  checkArgv,
  clientOf,
  currentProject,
  enterInstance,
  initArgv,
  projectsArgv,
  queryArgv,
  removeArgv,
} from './commands.ts';
import { Ending } from './Ending.ts';
import { type Attempt, explain, madeNothing, NAME_TAKEN, NO_INIT, removalRemedy } from './explain.ts';
import { Monitor, type News } from './Monitor.ts';
import type { Daemon, LxdOptions } from './options.ts';

/** Milliseconds for making an instance. It is not cut short: one that is half made is found by no removal. */
const CREATE_LIMIT = 300_000;

/** Seconds that an init has to shut down in order. */
const SHUTDOWN_SECONDS = 30;

/** Milliseconds in which the daemon must tell of an end that was seen otherwise. */
const TELL_LIMIT = 5000;

/** What a testbed in an instance can do. Pure. */
export function lxdCapabilities({ login }: Pick<LxdOptions, 'login'>): Capability[] {
  return [
    ...((login ?? 'root') === 'root' ? (['root-on-testbed'] as const) : []),
    'revert',
    'revert-full-system',
    'isolation-container',
    'reboot',
  ];
}

/** The verbs of a testbed that is a system container of LXD or Incus, driven by the daemon's own client. */
export class LxdTestbed implements BackendVerbs {
  readonly observations$ = new Subject<Observation>();
  readonly #options: LxdOptions;
  readonly #host: BackendHost;
  readonly #client: Client;
  /** For commands that others run, later. */
  readonly #elsewhere: Client;
  readonly #name: string;
  /** Strikes the instance out of the trace; null while there is none of ours. */
  #struck: (() => void) | null = null;
  #monitor: Monitor | null = null;
  /** Whether what becomes of the instance is our own doing. */
  #ending = true;
  readonly #end: Ending;
  /** Called when an end was told. */
  #whenTold: () => void = () => {};
  /** Called when the daemon told that the instance was started again. */
  #whenRestarted: () => void = () => {};
  #session: GuestSession | null = null;
  /** The project that the instance is in; null where the client knows of none. Asked once. */
  #project: Promise<string | null> | null = null;

  constructor(daemon: Daemon, options: LxdOptions, host: BackendHost) {
    this.#options = options;
    this.#host = host;
    this.#client = clientOf(daemon, options);
    this.#elsewhere = { ...this.#client, argv: calledElsewhere(daemon, this.#client.argv) };
    this.#end = new Ending(host.clock, (what) => this.#died(`the instance ${this.#name} ${what}`));
    // A name must do as a host's: at most 63 letters, digits and dashes.
    this.#name = options.name ?? `trundle-${host.run}-${host.testbed}`.replaceAll(/[^A-Za-z0-9-]/g, '-').slice(0, 63);
  }

  async create(signal: AbortSignal): Promise<void> {
    const { workDirectory, run, testbed } = this.#host;
    // None but ours has a name that was made from the run.
    const mark = this.#options.name === undefined ? undefined : `${run}-${testbed}`;
    const argv = initArgv(this.#client, this.#name, this.#options, mark);
    if (mark !== undefined) await this.#mustBeFree(signal);
    const release = afterCreation(workDirectory, removeArgv(this.#elsewhere, this.#name));
    const check =
      mark === undefined ? {} : { check: afterCreation(workDirectory, checkArgv(this.#elsewhere, this.#name, mark)) };
    const struck = this.#host.acquire({ kind: 'container', name: this.#name, release, ...check });
    this.#struck = struck;
    try {
      const result = await runCreation(workDirectory, argv, { signal: AbortSignal.timeout(CREATE_LIMIT) });
      if (result.status !== 0) throw explain(result, this.#attempt('making the instance', 'create-failed'));
    } catch (error) {
      if (madeNothing(error)) {
        this.#struck = null;
        struck();
      }
      throw error;
    }
    signal.throwIfAborted();
  }

  /** Asked before the name is written down, so that a trace tells of none that is somebody else's. */
  async #mustBeFree(signal: AbortSignal): Promise<void> {
    const { argv, remote } = this.#client;
    const found = await runProgram([...argv, 'info', `${remote}${this.#name}`], { signal });
    if (found.status === 0)
      throw explain({ ...found, stderr: NAME_TAKEN }, this.#attempt('making the instance', 'create-failed'));
  }

  async start(signal: AbortSignal): Promise<void> {
    const { argv, remote } = this.#client;
    this.#monitor = await Monitor.start(
      {
        client: this.#client,
        instance: this.#name,
        told: (news) => this.#told(news),
        ended: (stderr) => void this.#deaf(stderr),
      },
      signal,
    );
    const started = await runProgram([...argv, 'start', `${remote}${this.#name}`], { signal });
    if (started.status !== 0) throw await this.#whyNotStarted(started);
    this.#ending = false;
    await this.#whenBooted(signal);
  }

  async endpoint(signal: AbortSignal): Promise<Location> {
    await this.#closeSession();
    const { session: kind, login, normalUser } = this.#options;
    const enter = enterInstance(this.#client, this.#name);
    this.#session = await openSession({ enter, kind, host: this.#host, signal, login, normalUser });
    return { endpoint: this.#session.endpoint, capabilities: lxdCapabilities(this.#options) };
  }

  /** In order, by the daemon: then the files are whole, and it is seen from outside when the init has ended. */
  async restart(signal: AbortSignal, line?: string): Promise<void> {
    this.#ownEnd();
    if (line === undefined) await this.#restartFromOutside(signal);
    else await this.#restartFromInside(line, signal);
    this.#ending = false;
    await this.#whenBooted(signal);
  }

  async #restartFromOutside(signal: AbortSignal): Promise<void> {
    const { argv, remote } = this.#client;
    await this.#closeSession();
    const words = ['restart', `${remote}${this.#name}`, `--timeout=${SHUTDOWN_SECONDS}`];
    const result = await runProgram([...argv, ...words], { signal });
    if (result.status !== 0) throw explain(result, this.#attempt('restarting the instance', 'restart-failed'));
  }

  /** The daemon starts an instance again that rebooted, and tells of it. */
  async #restartFromInside(line: string, signal: AbortSignal): Promise<void> {
    const restarted = new Promise<void>((resolve, reject) => {
      this.#whenRestarted = resolve;
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    restarted.catch(() => {});
    // Its end may come before its answer.
    await askInside(enterInstance(this.#client, this.#name), line, { signal }).catch(() => {});
    await restarted;
    await this.#closeSession();
  }

  /** Made anew: where a pool can do snapshots, an instance made of an image is one already. */
  async reset(signal: AbortSignal): Promise<void> {
    await this.stop(signal);
    await this.create(signal);
    await this.start(signal);
  }

  /** By force: nothing in it is worth an orderly end. */
  async stop(signal: AbortSignal): Promise<void> {
    await this.#tellOfDeath(signal);
    this.#ownEnd();
    const closed = this.#closeSession();
    await this.#monitor?.stop();
    this.#monitor = null;
    await this.#remove(signal);
    await closed;
  }

  async destroy(signal: AbortSignal): Promise<void> {
    await this.stop(signal);
  }

  async keep(signal: AbortSignal): Promise<KeptPlace> {
    await this.#tellOfDeath(signal);
    signal.throwIfAborted();
    const shell = await shellInside(enterInstance(this.#client, this.#name), signal);
    this.#ownEnd();
    await this.#closeSession();
    await this.#monitor?.stop();
    this.#monitor = null;
    const { argv, remote } = this.#elsewhere;
    return { enter: [...argv, 'exec', `${remote}${this.#name}`, '--', shell, '-l'] };
  }

  async #whenBooted(signal: AbortSignal): Promise<void> {
    const result = await askInside(enterInstance(this.#client, this.#name), WAIT_BOOTED, { signal });
    const state = lastLine(result.stdout);
    this.#host.log('booted', { state });
    if (result.status === 0 && state !== 'maintenance' && state !== 'stopping') return;
    const log = await this.#ask('console', `${this.#client.remote}${this.#name}`, '--show-log');
    this.#host.console(Buffer.from(log.stdout));
    throw new BackendError('not-booted', `the init does not come up: ${state || lastLine(result.stderr)}`, {
      remedy: 'read what it printed (trundle explain), or boot the image by hand',
    });
  }

  async #remove(signal: AbortSignal): Promise<void> {
    if (this.#struck === null) return;
    await mustRun(removeArgv(this.#client, this.#name), {
      signal,
      code: 'left-behind',
      doing: `removing the instance ${this.#name}`,
      remedy: removalRemedy(this.#elsewhere, this.#name),
    });
    this.#struck();
    this.#struck = null;
  }

  async #closeSession(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  /** From here on, what becomes of the instance is our own doing, or was told. */
  #ownEnd(): void {
    this.#ending = true;
    this.#end.forget();
  }

  #told(news: News): void {
    if (news.what === 'instance-restarted') this.#whenRestarted();
    if (!this.#ending) this.#end.hear(news);
  }

  /** The client that tells us has ended, mostly because its daemon has. */
  async #deaf(stderr: string): Promise<void> {
    if (this.#ending) return;
    const state = await this.#state();
    if (this.#ending) return;
    const why =
      state.status === 0
        ? `the monitor ended: ${lastLine(stderr)}`
        : explain(state, this.#attempt('looking for the instance', 'lost')).message;
    this.#died(why);
  }

  #died(reason: string): void {
    this.#ownEnd();
    this.observations$.next({ type: 'guest.stopped', reason });
    this.#whenTold();
  }

  /** The daemon may tell of a death later than the connection does, which broke of it: then that is waited for. */
  async #tellOfDeath(signal: AbortSignal): Promise<void> {
    if (this.#ending) return;
    const told = new Promise<void>((resolve) => {
      this.#whenTold = resolve;
    });
    // For a while after its end the daemon still calls it running, but knows no first process of it.
    const state = await this.#query('/state');
    const alive = /"status": "Running"/.test(state.stdout) && /"pid": [1-9]/.test(state.stdout);
    if (alive || this.#ending) return;
    const enough = AbortSignal.any([signal, AbortSignal.timeout(TELL_LIMIT)]);
    await Promise.race([told, new Promise((resolve) => enough.addEventListener('abort', resolve, { once: true }))]);
  }

  #state(): Promise<ProgramResult> {
    return this.#query('');
  }

  /** What the daemon says of the instance, at a path below its own. */
  async #query(below: string): Promise<ProgramResult> {
    this.#project ??= this.#run(projectsArgv(this.#client)).then(({ stdout }) => currentProject(stdout));
    return await this.#run(queryArgv(this.#client, `/1.0/instances/${this.#name}${below}`, await this.#project));
  }

  #ask(...words: string[]): Promise<ProgramResult> {
    return this.#run([...this.#client.argv, ...words]);
  }

  async #run(argv: readonly string[]): Promise<ProgramResult> {
    try {
      return await runProgram(argv, { signal: AbortSignal.timeout(QUESTION_LIMIT) });
    } catch (error) {
      return { status: null, killedBy: null, stdout: '', stderr: String(error) };
    }
  }

  /** The client says only that it did not work; liblxc's log says why. */
  async #whyNotStarted(started: ProgramResult): Promise<BackendError> {
    // Not by `info --show-log`, which fails as long as the monitor of the instance is ending.
    const log = await this.#query('/logs/lxc.log');
    // What halves of liblxc say of each other is about the end of a half, not about its reason.
    const errors = log.stdout.split('\n').filter((line) => /ERROR/.test(line) && !/af_unix/.test(line));
    if (errors.length > 0) this.#host.console(Buffer.from(`${errors.join('\n')}\n`));
    const stderr = [...errors, ...(await this.#withoutInit()), started.stderr].join('\n');
    return explain({ ...started, stderr }, this.#attempt('starting the instance', 'start-failed'));
  }

  /** The log may end before the line that matters, or be refused while the instance is still ending. */
  async #withoutInit(): Promise<string[]> {
    // Not by `file pull`: where it is a link, that makes one in the working directory.
    const asked = await this.#query('/files?path=/sbin/init');
    return asked.status !== 0 && /not found/i.test(asked.stderr) ? [NO_INIT] : [];
  }

  #attempt(doing: string, code: string): Attempt {
    return { client: this.#client, instance: this.#name, image: this.#options.image, doing, code };
  }
}
