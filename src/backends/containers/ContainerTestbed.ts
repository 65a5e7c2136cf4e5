import { constants } from 'node:os';
import { Subject } from 'rxjs';
import type { Capability } from '../../events/index.ts';
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
import { isNamedByAnybody, runs } from '../shared/processes.ts';
import { lastLine, mustRun, type ProgramResult, runProgram } from '../shared/runProgram.ts';
import { type GuestSession, openSession } from '../shared/session/openSession.ts';
import {
  createArgv,
  type Engine,
  engineOf,
  enterContainer,
  NO_INIT,
  personArgv,
  removeArgv,
  runningArgv,
  startArgv,
  WAIT_BOOTED,
} from './commands.ts';
import { type Attempt, explain, explainInit, madeNothing, removalRemedy } from './explain.ts';
import type { ContainerOptions, Program } from './options.ts';
import { mustHaveCgroups } from './probe.ts';
import { NotStarted, Watch, type WatchEnd } from './Watch.ts';

/** Milliseconds for making a container. It is not cut short: one that is half made is found by no removal. */
const CREATE_LIMIT = 120_000;

/** Milliseconds in which what watches a container must see that it is gone. */
const WATCH_LIMIT = 5000;

/** Milliseconds in which a container ends whose first program cannot run, once it counts as running. */
const MOMENT = 1000;

/** Milliseconds between two looks at it. */
const LOOK = 25;

/** Seconds that an init has to shut down in order. */
const SHUTDOWN_SECONDS = 30;

/** The code of a container that did not start, for a reason that is not known. */
const NOT_STARTED = 'start-failed';

/** What a testbed in a container can do. Pure. */
export function containerCapabilities({ init, login }: Pick<ContainerOptions, 'init' | 'login'>): Capability[] {
  return [
    ...((login ?? 'root') === 'root' ? (['root-on-testbed'] as const) : []),
    'revert',
    'revert-full-system',
    ...(init ? (['isolation-container', 'reboot'] as const) : []),
  ];
}

/** The verbs of a testbed that is a container of podman or docker. */
export class ContainerTestbed implements BackendVerbs {
  readonly observations$ = new Subject<Observation>();
  readonly restart?: (signal: AbortSignal, line?: string) => Promise<void>;
  readonly #options: ContainerOptions;
  readonly #host: BackendHost;
  readonly #engine: Engine;
  /** For commands that others run, later. */
  readonly #elsewhere: Engine;
  readonly #name: string;
  /** Strikes the container out of the trace; null while there is none of ours. */
  #struck: (() => void) | null = null;
  #watch: Watch | null = null;
  /** Whether the end of the container is our own doing. */
  #ending = false;
  #session: GuestSession | null = null;
  /** Calls back once it was entered, or nobody tries to: until then its end is told by what that comes to. */
  #bootOver: () => void = () => {};
  /** Resolves when the end of the container was told. */
  #told: Promise<void> = Promise.resolve();
  /** The pids of its first process and of conmon(8) on this machine; null where they run elsewhere. */
  #pids: Promise<readonly (number | null)[]> = Promise.resolve([]);

  constructor(program: Program, options: ContainerOptions, host: BackendHost) {
    this.#options = options;
    this.#host = host;
    this.#engine = engineOf(program, options);
    this.#elsewhere = { ...this.#engine, argv: calledElsewhere(program, this.#engine.argv) };
    this.#name = `trundle-${host.run}-${host.testbed}`;
    if (options.init) this.restart = (signal, line) => this.#restart(signal, line);
  }

  async create(signal: AbortSignal): Promise<void> {
    const { image, pull, init } = this.#options;
    if (init) await mustHaveCgroups(this.#engine, this.#options, signal);
    if (pull) {
      const result = await runProgram([...this.#engine.argv, 'pull', image], { signal });
      if (result.status !== 0) throw explain(result, this.#attempt(`fetching ${image}`, 'pull-failed'));
    }
    await this.#make(signal);
  }

  async start(signal: AbortSignal): Promise<void> {
    const argv = startArgv(this.#engine, this.#name);
    this.#ending = false;
    try {
      const watch = await Watch.start(argv, {
        signal,
        console: (chunk) => this.#host.console(chunk),
        runs: async () => {
          const asked = await runProgram(runningArgv(this.#engine, this.#name), {
            signal: AbortSignal.timeout(QUESTION_LIMIT),
          });
          return asked.status === 0 && asked.stdout.trim() === 'true';
        },
        clock: this.#host.clock,
      });
      this.#watch = watch;
      const bootOver = new Promise<void>((resolve) => {
        this.#bootOver = resolve;
      });
      this.#told = Promise.all([watch.ended, bootOver]).then(([end]) => this.#ended(end));
      this.#pids = this.#findPids();
      this.observations$.next({
        type: 'process.spawned',
        process: 'container',
        role: 'main',
        pid: watch.pid,
        argv: [...argv],
      });
    } catch (error) {
      throw error instanceof NotStarted ? this.#whyNotStarted(error.end) : error;
    }
    if (this.#options.init) await this.#whenBooted(signal);
  }

  async endpoint(signal: AbortSignal): Promise<Location> {
    await this.#closeSession();
    const { session: kind, login, normalUser } = this.#options;
    const enter = enterContainer(this.#engine, this.#name);
    try {
      this.#session = await openSession({ enter, kind, host: this.#host, signal, login, normalUser });
    } catch (error) {
      throw (await this.#endedAtOnce(signal)) ?? error;
    }
    this.#bootOver();
    return { endpoint: this.#session.endpoint, capabilities: containerCapabilities(this.#options) };
  }

  async reset(signal: AbortSignal): Promise<void> {
    await this.stop(signal);
    await this.#make(signal);
    await this.start(signal);
  }

  /** By force: nothing in it is worth an orderly end. */
  async stop(signal: AbortSignal): Promise<void> {
    await this.#tellOfDeath(signal);
    this.#ending = true;
    const closed = this.#closeSession();
    await this.#remove(signal);
    await closed;
  }

  async destroy(signal: AbortSignal): Promise<void> {
    await this.stop(signal);
  }

  /** What watches it ends with us, and is no part of it. */
  async keep(signal: AbortSignal): Promise<KeptPlace> {
    await this.#tellOfDeath(signal);
    signal.throwIfAborted();
    const shell = await shellInside(enterContainer(this.#engine, this.#name), signal);
    this.#ending = true;
    await this.#closeSession();
    const watch = this.#watch;
    this.#watch = null;
    watch?.kill();
    await watch?.ended;
    return { enter: personArgv(this.#elsewhere, this.#name, shell) };
  }

  async #restart(signal: AbortSignal, line?: string): Promise<void> {
    const attempt = this.#attempt('shutting the container down', 'shutdown-failed');
    this.#ending = true;
    if (line !== undefined) {
      // Its end may come before its answer.
      await askInside(enterContainer(this.#engine, this.#name), line, { signal }).catch(() => {});
      if (this.#watch !== null) await endOfWatch(this.#watch, signal);
      await this.#closeSession();
      return await this.start(signal);
    }
    await this.#closeSession();
    const argv = [...this.#engine.argv, 'stop', `--time=${SHUTDOWN_SECONDS}`, this.#name];
    const result = await runProgram(argv, { signal });
    if (result.status !== 0) throw explain(result, attempt);
    if (this.#watch !== null) await endOfWatch(this.#watch, signal);
    await this.start(signal);
  }

  async #make(signal: AbortSignal): Promise<void> {
    const argv = createArgv(this.#engine, this.#name, this.#options);
    const { workDirectory } = this.#host;
    const release = afterCreation(workDirectory, removeArgv(this.#elsewhere, this.#name));
    const struck = this.#host.acquire({ kind: 'container', name: this.#name, release });
    this.#struck = struck;
    try {
      const result = await runCreation(workDirectory, argv, { signal: AbortSignal.timeout(CREATE_LIMIT) });
      if (result.status !== 0) throw explain(result, this.#attempt('creating the container', 'create-failed'));
      // Warnings, as of a limit that this machine does not know: nobody else would tell of them.
      this.#host.console(Buffer.from(result.stderr));
    } catch (error) {
      if (madeNothing(error)) {
        this.#struck = null;
        struck();
      }
      throw error;
    }
    signal.throwIfAborted();
  }

  async #whenBooted(signal: AbortSignal): Promise<void> {
    const watch = this.#watch;
    const result = await askInside(enterContainer(this.#engine, this.#name), WAIT_BOOTED, { signal });
    const state = lastLine(result.stdout);
    this.#host.log('booted', { state });
    if (result.status === 0 && state !== 'maintenance' && state !== 'stopping') return;
    // A container that has ended by itself is told of here, with what it said, and nowhere else.
    this.#ending = true;
    const end = watch === null || (await this.#lives()) ? null : await endOfWatch(watch, signal);
    // It was seen to run, in the moment before it said so.
    if (end?.status === NO_INIT) throw this.#whyNotStarted(end);
    const why = end === null ? '' : await this.#whyEnded(end);
    const logs = await this.#ask(['logs', '--tail=20', this.#name]);
    throw explainInit(
      why || state || lastLine(result.stderr),
      `${logs.stdout}${logs.stderr}`,
      `read what it printed (trundle explain), or boot the image by hand: ${watch?.argv.join(' ') ?? ''}`,
    );
  }

  /**
   * Why a container that nobody could enter was none from the start, or null where it was one, of whose end was told: it
   * counts as running a moment before its first program is tried.
   */
  async #endedAtOnce(signal: AbortSignal): Promise<BackendError | null> {
    const watch = this.#watch;
    const end = watch === null || this.#ending || signal.aborted ? null : await this.#endOf(watch, signal);
    const why = end === null ? null : this.#whyNotStarted(end);
    if (why !== null && why.code !== NOT_STARTED) {
      this.#ending = true;
      return why;
    }
    this.#bootOver();
    // That it died comes before what broke of it.
    if (end !== null) await this.#told;
    return null;
  }

  /** How it ended, or is about to; null where it goes on. */
  async #endOf(watch: Watch, signal: AbortSignal): Promise<WatchEnd | null> {
    const { clock } = this.#host;
    const { stdout } = await this.#inspect('{{.State.Running}}');
    if (stdout.trim() !== 'true') return await endOfWatch(watch, signal);
    return await new Promise((resolve) => {
      const timer = clock.after(MOMENT, () => resolve(null));
      void watch.ended.then((end) => {
        clock.clear(timer);
        resolve(end);
      });
    });
  }

  async #remove(signal: AbortSignal): Promise<void> {
    const struck = this.#struck;
    if (struck === null) return;
    await mustRun(removeArgv(this.#engine, this.#name), {
      signal,
      code: 'left-behind',
      doing: `removing the container ${this.#name}`,
      remedy: removalRemedy(this.#elsewhere, this.#name),
    });
    struck();
    this.#struck = null;
    const watch = this.#watch;
    this.#watch = null;
    if (watch === null) return;
    await endOfWatch(watch, signal);
    await this.#whenUnmonitored(signal);
  }

  async #closeSession(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  /** The program tells of a death later than the connection does, which broke of it: then that is waited for. */
  async #tellOfDeath(signal: AbortSignal): Promise<void> {
    const watch = this.#watch;
    this.#bootOver();
    if (watch === null || this.#ending) return;
    if (await this.#lives()) return;
    await endOfWatch(watch, signal);
    await this.#told;
  }

  /** Tells of the container's end, and, where it was not our doing, finds out what it was. */
  async #ended(end: WatchEnd): Promise<void> {
    if (!this.#ending) this.observations$.next({ type: 'guest.stopped', reason: await this.#whyEnded(end) });
    this.observations$.next({ type: 'process.exited', process: 'container', role: 'main', ...endOf(end) });
  }

  async #whyEnded(end: WatchEnd): Promise<string> {
    const state = await this.#inspect('{{.State.Running}} {{.State.OOMKilled}}');
    const { status, signal } = endOf(end);
    const how = signal === null ? `ended with exit status ${status}` : `was ended by ${signal}`;
    if (state.status === 0) {
      const [running, outOfMemory] = state.stdout.trim().split(' ');
      if (running === 'true')
        return `what watches the container ${this.#name} ${how}, but the container goes on: ${lastLine(end.stderr)}`;
      const memory = outOfMemory === 'true' ? ': it was out of memory' : '';
      return `the container ${this.#name} ${how}${memory}`;
    }
    if (/no such container/i.test(state.stderr)) return `the container ${this.#name} was removed by somebody else`;
    return explain(state, this.#attempt('looking for the container', 'lost')).message;
  }

  #inspect(format: string): Promise<ProgramResult> {
    return this.#ask(['container', 'inspect', '--format', format, this.#name]);
  }

  async #ask(words: readonly string[]): Promise<ProgramResult> {
    try {
      return await runProgram([...this.#engine.argv, ...words], { signal: AbortSignal.timeout(QUESTION_LIMIT) });
    } catch (error) {
      return { status: null, killedBy: null, stdout: '', stderr: String(error) };
    }
  }

  /** Docker's daemon answers at once, and may be elsewhere; podman takes its time, but is here. */
  async #lives(): Promise<boolean> {
    if (this.#engine.name === 'docker') return (await this.#inspect('{{.State.Running}}')).stdout.trim() === 'true';
    const [pid = null] = await this.#pids;
    return pid === null || runs(pid);
  }

  /** Asked beside what goes on: only a death needs them. */
  async #findPids(): Promise<(number | null)[]> {
    if (this.#engine.name === 'docker') return [];
    const { stdout } = await this.#inspect('{{.State.Pid}} {{.State.ConmonPid}}');
    const pids = stdout.trim().split(' ').map(Number);
    return pids.map((pid) => (Number.isSafeInteger(pid) && pid > 0 && runs(pid) ? pid : null));
  }

  /** conmon(8) ends a moment after its container. It is nobody's child here, so there is no event to wait for. */
  async #whenUnmonitored(signal: AbortSignal): Promise<void> {
    const [, monitor = null] = await this.#pids;
    // An ordinary user's podman has helpers besides, which name the container too.
    const isWatched = () => (monitor !== null && runs(monitor)) || isNamedByAnybody(this.#name);
    for (let waited = 0; isWatched() && waited < WATCH_LIMIT && !signal.aborted; waited += LOOK)
      await new Promise<void>((resolve) => this.#host.clock.after(LOOK, resolve));
  }

  #whyNotStarted(end: WatchEnd): BackendError {
    const attempt = this.#attempt('starting the container', NOT_STARTED);
    if (end.status === NO_INIT)
      return new BackendError('no-init', `the image ${this.#options.image} has no /sbin/init`, {
        remedy: 'install systemd-sysv in the image, or leave --init out',
      });
    return explain(end, attempt);
  }

  #attempt(doing: string, code: string): Attempt {
    return { engine: this.#engine, container: this.#name, image: this.#options.image, doing, code };
  }
}

/** Waits for the end of what watches a container that is gone; it may have lost sight of it, and never end by itself. */
async function endOfWatch(watch: Watch, signal: AbortSignal): Promise<WatchEnd> {
  const enough = AbortSignal.any([signal, AbortSignal.timeout(WATCH_LIMIT)]);
  const kill = () => watch.kill();
  if (enough.aborted) kill();
  enough.addEventListener('abort', kill, { once: true });
  const end = await watch.ended;
  enough.removeEventListener('abort', kill);
  return end;
}

/** `start --attach` ends with the status of the container, and that of one that was killed is 128 and the signal. */
function endOf({ status, killedBy }: WatchEnd): { status: number | null; signal: string | null } {
  if (killedBy !== null) return { status: null, signal: killedBy };
  const signal = Object.entries(constants.signals).find(([, number]) => number + 128 === status)?.[0];
  return signal === undefined ? { status, signal: null } : { status: null, signal };
}
