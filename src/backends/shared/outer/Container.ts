import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { startProgram } from '../../../host/index.ts';
import { BackendError, type BackendHost } from '../../contract.ts';
import type { Enter } from '../enter.ts';
import { kill9, startTimeOf } from '../processes.ts';
import { notStarted, ownEnvironment } from '../runProgram.ts';
import { isAlive, leaderBelow } from './leader.ts';
import type { ContainerPlan } from './plan.ts';

/** Milliseconds between two looks for a container's first process: nobody tells when it has started. */
const LOOK = 20;

/** What a container is run with. */
export interface ContainerOptions {
  readonly plan: ContainerPlan;
  readonly host: BackendHost;
  /** Called when the container has ended by itself, or was ended by others. */
  readonly ended: (status: number | null, killedBy: NodeJS.Signals | null) => void;
  /** Called where it turns out only when it is told to end that it has ended before. */
  readonly endedBefore: () => void;
}

/**
 * A program that runs a container, as systemd-nspawn(1) and lxc-start(1) do, in namespaces of its own, which end with
 * this process and with which all of it ends. One container may follow another in them, over the same files: that is
 * a reboot.
 */
export class Container {
  readonly #options: ContainerOptions;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  /** The first process in the outer namespaces. */
  #outer = 0;
  #said = '';
  #leader: number | null = null;
  #descriptors: number[] = [];
  /** Told how the running container ends, instead of `ended`. */
  #awaited: ((status: number | null) => void) | null = null;
  #over = false;

  private constructor(options: ContainerOptions, child: ChildProcess) {
    this.#options = options;
    this.#child = child;
    this.#gone = new Promise((resolve) => child.once('exit', () => resolve()));
  }

  /** Makes the outer namespaces; nothing runs in them yet. @throws BackendError `program-missing`, `no-permission` */
  static async prepare(options: ContainerOptions, signal: AbortSignal): Promise<Container> {
    const { plan, host } = options;
    const flags = ['--mount', '--propagation', 'slave', '--pid', '--fork', '--kill-child'];
    const child = startProgram('unshare', [...flags, '--', 'sh', '-c', plan.script], {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      detached: true,
      cwd: '/',
      env: ownEnvironment(),
    });
    const container = new Container(options, child);
    const told = container.#listen();
    const kill = () => void child.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    try {
      container.#outer = await told;
      // Written down before anything is made: until it is told to go on, the process only waits.
      const name = String(child.pid);
      const struck = host.acquire({ kind: 'process', name, startTime: startTimeOf(child.pid ?? 0) });
      void container.#gone.then(struck);
      child.stdin?.write('go\n');
      return container;
    } catch (error) {
      kill();
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener('abort', kill);
    }
  }

  /** The container's first process, as this machine sees it. */
  get leader(): number | null {
    return this.#leader;
  }

  /**
   * Starts a container, and gives the way into it. The namespaces are named by open descriptors, so that no other
   * process's can be meant.
   * @throws BackendError what the plan says of its early end
   */
  async start(signal: AbortSignal): Promise<Enter> {
    const ends: (number | null)[] = [];
    this.#awaited = (status) => void ends.push(status);
    this.#child.stdin?.write('start\n');
    for (;;) {
      signal.throwIfAborted();
      const { plan } = this.#options;
      const [status = this.#child.exitCode] = ends;
      if (status !== null) throw plan.explain({ status, said: this.#said });
      const leader = leaderBelow(this.#outer, plan.argv[0] ?? '');
      if (leader !== null) {
        const enter = this.#wayInto(leader);
        this.#leader = leader;
        this.#awaited = null;
        return enter;
      }
      await pause(LOOK);
    }
  }

  /** Has the container end by what `ask` does; gives its exit status. */
  async end(ask: () => Promise<unknown>, signal: AbortSignal): Promise<number | null> {
    const ended = new Promise<number | null>((resolve, reject) => {
      this.#awaited = resolve;
      const abort = () => reject(signal.reason);
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
    });
    ended.catch(() => {});
    await ask();
    const status = await ended;
    this.#leader = null;
    this.#said = '';
    this.#forget();
    return status;
  }

  /** Ends all of it; resolves when it is gone. */
  async stop(signal: AbortSignal): Promise<void> {
    if (!this.#over && this.#leader !== null && !isAlive(this.#leader)) this.#options.endedBefore();
    this.#over = true;
    const kill = () => {
      for (const pid of [this.#outer, this.#child.pid ?? 0]) if (pid > 0 && this.#child.exitCode === null) kill9(pid);
    };
    if (signal.aborted) kill();
    signal.addEventListener('abort', kill, { once: true });
    this.#child.stdin?.end();
    await this.#gone;
    signal.removeEventListener('abort', kill);
    this.#forget();
  }

  #listen(): Promise<number> {
    const { host } = this.#options;
    const { stdin, stdout, stderr } = this.#child;
    stdin?.on('error', () => {});
    // What goes wrong just before the init runs is told on the container's console.
    for (const stream of [stdout, stderr])
      stream?.on('data', (chunk: Buffer) => {
        host.console(chunk);
        this.#said = (this.#said + chunk.toString()).slice(-16_384);
      });
    let told = '';
    return new Promise((resolve, reject) => {
      (this.#child.stdio[3] as Readable).setEncoding('utf8').on('data', (text: string) => {
        told += text;
        const lines = told.split('\n');
        told = lines.pop() ?? '';
        for (const line of lines) {
          const [word, number] = line.split(' ');
          if (word === 'pid') resolve(Number(number));
          else this.#ended(Number(number), null);
        }
      });
      this.#child.once('error', (error) => reject(notStarted('unshare', error)));
      // After its last words.
      this.#child.once('close', (status, killedBy) => {
        const words = this.#said.trim();
        reject(
          new BackendError('no-permission', `namespaces cannot be made here: ${words}`, {
            remedy: 'run it with CAP_SYS_ADMIN (a container needs --privileged)',
          }),
        );
        this.#ended(status, killedBy);
      });
    });
  }

  #ended(status: number | null, killedBy: NodeJS.Signals | null): void {
    const awaited = this.#awaited;
    this.#awaited = null;
    if (awaited !== null) awaited(status);
    else if (!this.#over && this.#leader !== null) {
      this.#over = true;
      this.#options.ended(status, killedBy);
    }
  }

  #wayInto(leader: number): Enter {
    this.#forget();
    const keep = (path: string, flags: 'r' | 'w') => {
      const descriptor = openSync(path, flags);
      this.#descriptors.push(descriptor);
      return `/proc/${process.pid}/fd/${descriptor}`;
    };
    return this.#options.plan.enter({ leader, outer: this.#outer, keep });
  }

  #forget(): void {
    for (const descriptor of this.#descriptors.splice(0)) closeSync(descriptor);
  }
}
