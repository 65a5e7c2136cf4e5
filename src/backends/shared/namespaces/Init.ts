import type { ChildProcessByStdio } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { startProgram } from '../../../host/index.ts';
import { BackendError, type BackendHost, type Observation } from '../../contract.ts';
import { type Enter, throwIfNoShell } from '../enter.ts';
import { imageGone } from '../images/imageGone.ts';
import { kill9, startTimeOf } from '../processes.ts';
import { findProgram, missedProgram, searchPath } from '../programs.ts';
import { lastLine, noRoom, notStarted, programMissing } from '../runProgram.ts';
import { FirstShell, THREE_PIPES } from './FirstShell.ts';
import { ENDED_BEFORE, endInit, hasEnded } from './hasEnded.ts';
import { explainUnshare, type Identity, USER_FLAGS } from './identity.ts';
import { IMAGE_GONE, NO_OVERLAY, type SetupPlan, setupScript } from './setupScript.ts';

/** Namespaces that are entered, by their names in /proc/PID/ns and in nsenter(1). */
const ENTERED: readonly (readonly [file: string, flag: string])[] = [
  ['user', '--user'],
  ['mnt', '--mount'],
  ['pid', '--pid'],
  ['ipc', '--ipc'],
  ['uts', '--uts'],
  ['net', '--net'],
];

/** What an init is started with. */
export interface InitOptions {
  readonly identity: Identity;
  readonly plan: SetupPlan;
  readonly host: BackendHost;
  readonly signal: AbortSignal;
  readonly observe: (observation: Observation) => void;
  /** Gives what the shell that the plan may ask for is to run; called while the testbed is set up. */
  readonly script: () => string;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * The supervised first process of a testbed's namespaces. It holds them for the testbed's whole life: background
 * processes live as long as it does, and all die with it. It ends by itself when this process does.
 */
export class Init {
  /** How to run a program inside. The namespaces are named by open descriptors, so that no other process's can be meant. */
  readonly enter: Enter;
  /** The shell that runs inside already; null where there is none. */
  readonly shell: FirstShell | null;
  readonly #child: Child;
  readonly #descriptors: number[];
  readonly #exited: Promise<void>;
  readonly #pid: number;
  readonly #observe: InitOptions['observe'];
  #ending = false;

  private constructor(
    child: Child,
    exited: Promise<void>,
    pid: number,
    observe: InitOptions['observe'],
    { enter, descriptors }: { enter: Enter; descriptors: number[] },
    shell: FirstShell | null,
  ) {
    this.shell = shell;
    this.#child = child;
    this.#observe = observe;
    this.#pid = pid;
    this.#exited = exited;
    this.enter = enter;
    this.#descriptors = descriptors;
  }

  /**
   * Makes the namespaces, sets them up and starts the init.
   * @throws BackendError `no-permission`, `no-subuids`, `program-missing`, `ENOSPC`, `no-overlay`, `setup-failed`,
   * `no-shell`, `wrong-architecture`
   */
  static async start(options: InitOptions): Promise<Init> {
    const { identity, plan, host, signal, observe } = options;
    signal.throwIfAborted();
    // Not wanted yet where the init starts a shell, but for each way in after that.
    if (findProgram('nsenter') === null) throw programMissing('nsenter', 'entering the testbed');
    const network = plan.privateNetwork ? ['--net'] : [];
    const namespaces = ['--mount', '--propagation', 'slave', '--pid', '--fork', '--kill-child', '--ipc', '--uts'];
    const argv = ['unshare', ...USER_FLAGS[identity], ...namespaces, ...network, '--', 'sh', '-c', setupScript(plan)];
    const [program = '', ...args] = argv;
    const child = startProgram(program, args, {
      stdio: ['pipe', 'pipe', 'pipe', ...(plan.shell === null ? [] : THREE_PIPES)],
      detached: true,
      cwd: '/',
      // The testbed's first process is to have no other, and one more program would be needed to take it away.
      env: { PATH: searchPath(), LC_ALL: 'C.UTF-8' },
    }) as Child;
    const kill = () => void child.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    const shell = plan.shell === null ? null : new FirstShell(child);
    try {
      return await new Start(child, shell, options, [program, ...args.slice(0, -1)]).whenReady(observe, host);
    } catch (error) {
      kill();
      shell?.end();
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener('abort', kill);
    }
  }

  /** @internal */
  static of(
    child: Child,
    exited: Promise<void>,
    pid: number,
    shell: FirstShell | null,
    { identity, plan, observe }: InitOptions,
  ): Init {
    const wanted = ENTERED.filter(([file]) =>
      file === 'user' ? identity !== 'root' : file !== 'net' || plan.privateNetwork,
    );
    const descriptors: number[] = [];
    try {
      const namespaces = wanted.map(([file]) => {
        const descriptor = openSync(`/proc/${pid}/ns/${file}`, 'r');
        descriptors.push(descriptor);
        return `/proc/${process.pid}/fd/${descriptor}`;
      });
      const words = wanted.map(([, flag], index) => `${flag}=${namespaces[index]}`);
      const keep = identity === 'single' ? ['--preserve-credentials'] : [];
      const prefix = ['nsenter', ...keep, ...words];
      const as = (user: { uid: number; gid: number }) => [
        ...prefix,
        '--setuid',
        String(user.uid),
        '--setgid',
        String(user.gid),
        '--',
      ];
      const enter: Enter = {
        argv: [...prefix, '--'],
        environment: 'passed',
        place: { namespaces, root: null },
        ...(identity === 'single' ? {} : { as }),
      };
      return new Init(child, exited, pid, observe, { enter, descriptors }, shell);
    } catch (error) {
      for (const descriptor of descriptors) closeSync(descriptor);
      throw error;
    }
  }

  /** Ends the testbed's processes, all of them; resolves when they are gone. */
  async stop(signal: AbortSignal): Promise<void> {
    const isThere = () => this.#child.exitCode === null && this.#child.signalCode === null;
    // Its parent tells of its end when all in its pid namespace are gone: a connection that broke of it is seen before.
    if (!this.#ending && isThere() && hasEnded(this.#pid)) this.#observe(ENDED_BEFORE);
    this.#ending = true;
    // Who reads its stdin for it may be stopped, by whoever stops all that there is to stop.
    if (isThere()) endInit(this.#pid);
    // The init itself: its parent then waits until the kernel has ended everything in its pid namespace.
    const kill = () => {
      if (isThere()) kill9(this.#pid);
    };
    if (signal.aborted) kill();
    signal.addEventListener('abort', kill, { once: true });
    this.#child.stdin.end();
    await this.#exited;
    signal.removeEventListener('abort', kill);
    for (const descriptor of this.#descriptors.splice(0)) closeSync(descriptor);
  }
}

const SETTING_UP = "setting the testbed's namespaces up";

/** An init that is being started. */
class Start {
  readonly #child: Child;
  readonly #shell: FirstShell | null;
  readonly #options: InitOptions;
  readonly #argv: readonly string[];
  #stdout = '';
  #stderr = '';

  constructor(child: Child, shell: FirstShell | null, options: InitOptions, argv: readonly string[]) {
    this.#child = child;
    this.#shell = shell;
    this.#options = options;
    this.#argv = argv;
  }

  whenReady(observe: InitOptions['observe'], host: BackendHost): Promise<Init> {
    const child = this.#child;
    let struck = () => {};
    let told = false;
    let pid: number | null = null;
    const shell = this.#shell;
    return new Promise((resolve, reject) => {
      const exited = new Promise<void>((gone) => {
        child.once('exit', (status, killedBy) => {
          struck();
          if (told) observe({ type: 'process.exited', process: 'init', role: 'main', ...this.#end(status, killedBy) });
          gone();
        });
      });
      child.once('error', (error) => reject(notStarted('unshare', error)));
      // After its last words.
      child.once('close', (status) => reject(this.#explain(status)));
      child.stdin.on('error', () => {});
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        this.#stderr = (this.#stderr + text).slice(-16_384);
      });
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (told) return shell?.hear(text);
        this.#stdout += text;
        const said = /^pid (\d+)\n/.exec(this.#stdout);
        try {
          if (said !== null && pid === null && child.pid !== undefined) {
            pid = Number(said[1]);
            // Written down before anything is made: until it is told to go on, the process only waits.
            struck = host.acquire({ kind: 'process', name: String(child.pid), startTime: startTimeOf(child.pid) });
            child.stdin.write('go\n');
            shell?.stdin.write(this.#options.script());
          }
          const [, after] = /^ready\n(.*)/ms.exec(this.#stdout) ?? [];
          if (after !== undefined && pid !== null) {
            const init = Init.of(child, exited, pid, shell, this.#options);
            told = true;
            shell?.hear(after);
            observe({ type: 'process.spawned', process: 'init', role: 'main', pid, argv: [...this.#argv] });
            resolve(init);
          }
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** unshare(1) ends as the init did; only SIGKILL it cannot take upon itself, and says so. */
  #end(status: number | null, signal: NodeJS.Signals | null): { status: number | null; signal: string | null } {
    return status === 1 && this.#stderr.includes('sigprocmask')
      ? { status: null, signal: 'SIGKILL' }
      : { status, signal };
  }

  #explain(status: number | null): BackendError {
    const stderr = this.#stderr;
    try {
      throwIfNoShell('chroot', { status, stderr });
    } catch (error) {
      return error as BackendError;
    }
    if (this.#stdout === '') {
      const { code, missing, remedy } = explainUnshare(this.#options.identity, stderr);
      return new BackendError(code, missing, { remedy });
    }
    const missed = missedProgram(stderr);
    if (missed !== null) return programMissing(missed, SETTING_UP);
    const full = noRoom(stderr, SETTING_UP);
    if (full !== null) return full;
    const words = lastLine(stderr) || `it ended with exit status ${status}`;
    if (status === IMAGE_GONE) return imageGone();
    if (status === NO_OVERLAY) return new BackendError('no-overlay', `an overlay cannot be mounted: ${words}`);
    return new BackendError('setup-failed', `the testbed's namespaces could not be set up: ${words}`);
  }
}
