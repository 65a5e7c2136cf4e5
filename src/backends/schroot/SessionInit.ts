import type { ChildProcess, ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { startProgram } from '../../host/index.ts';
import { BackendError, type BackendHost, type Observation } from '../contract.ts';
import { type Enter, PLAIN, throwIfNoShell } from '../shared/enter.ts';
import { FirstShell, initScript, THREE_PIPES } from '../shared/namespaces/FirstShell.ts';
import { ENDED_BEFORE, endInit, hasEnded } from '../shared/namespaces/hasEnded.ts';
import { runs, startTimeOf } from '../shared/processes.ts';
import { lastLine, notStarted, ownEnvironment } from '../shared/runProgram.ts';
import type { SessionPlan } from '../shared/session/openSession.ts';

/**
 * Waits to be recorded, says who it is where the session has a /proc of this machine's, gives it the one of its own pid
 * namespace, and terminals where its profile has none, and becomes its init.
 */
const script = (withShell: boolean) => `read -r go || exit 0
{ read -r pid rest </proc/self/stat; } 2>/dev/null && echo "pid $pid"
mount -n -t proc -o nosuid,nodev,noexec proc /proc || exit 1
[ -e /dev/pts/ptmx ] || {
  mkdir -p /dev/pts && mount -n -t devpts -o nosuid,noexec,newinstance,ptmxmode=666,mode=620,gid=5 devpts /dev/pts
  [ -e /dev/ptmx ] || ln -s pts/ptmx /dev/ptmx
}
${initScript(withShell)}`;

/** Says that the image has not what a pid namespace takes. */
const ALONE = 'alone';

/** Runs the script as the first process of a pid namespace, by options that busybox(1) knows as well. */
const AS_FIRST = `for p in unshare nsenter mount; do command -v $p >/dev/null || { echo ${ALONE}; exit 0; }; done
exec unshare --pid --fork /bin/sh -c "$1" sh "$2"`;

/**
 * The first process of a session: background processes live until it ends, and all end with it. It ends by itself
 * when this process does.
 */
export class SessionInit {
  /** The shell that runs inside already; null where none was wanted. */
  readonly shell: FirstShell | null;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  /** As this machine sees it; null where we cannot. */
  readonly #pid: number | null;
  readonly #observe: (seen: Observation) => void;
  #ending = false;

  private constructor(
    child: ChildProcess,
    exited: Promise<void>,
    pid: number | null,
    observe: (seen: Observation) => void,
    shell: FirstShell | null,
  ) {
    this.shell = shell;
    this.#child = child;
    this.#exited = exited;
    this.#pid = pid;
    this.#observe = observe;
  }

  /**
   * Starts it; null where the image has not what it takes.
   * @param enter how root's programs are run in the session; where it starts a shell, one that hands on all descriptors
   * @throws BackendError `setup-failed`, `no-shell`, `wrong-architecture`
   */
  static start(
    enter: Enter,
    options: {
      host: BackendHost;
      signal: AbortSignal;
      observe: (seen: Observation) => void;
      /** What a shell that it starts is to do; null to start none. */
      plan: SessionPlan | null;
    },
  ): Promise<SessionInit | null> {
    const { host, signal, observe, plan } = options;
    const words = [AS_FIRST, 'sh', script(plan !== null), plan?.first ?? ''];
    const [program = '', ...args] = [...enter.argv, '/bin/sh', '-c', ...words];
    const child = startProgram(program, args, {
      stdio: ['pipe', 'pipe', 'pipe', ...(plan === null ? [] : THREE_PIPES)],
      detached: true,
      cwd: '/',
      env: enter.environment === 'passed' ? PLAIN : ownEnvironment(),
    }) as ChildProcessByStdio<Writable, Readable, Readable>;
    const shell = plan === null ? null : new FirstShell(child);
    return new Promise((resolve, reject) => {
      let struck = () => {};
      let told = false;
      let stdout = '';
      let stderr = '';
      const abort = () => {
        child.stdin.end();
        reject(signal.reason);
      };
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      const exited = new Promise<void>((gone) => {
        child.once('exit', (status, killedBy) => {
          struck();
          if (told) observe({ type: 'process.exited', process: 'init', role: 'main', status, signal: killedBy });
          gone();
        });
      });
      child.once('error', (error) => reject(notStarted(program, error)));
      child.once('close', (status) => {
        signal.removeEventListener('abort', abort);
        if (!told) shell?.end();
        if (status === 0 && stdout === `${ALONE}\n`) return resolve(null);
        try {
          throwIfNoShell(program, { status, stderr });
        } catch (error) {
          return reject(error);
        }
        const words = lastLine(stderr) || `it ended with exit status ${status}`;
        reject(
          new BackendError('setup-failed', `the session's pid namespace could not be set up: ${words}`, {
            remedy: 'see that its profile mounts /dev (profile=default), or that the image has /dev/null',
          }),
        );
      });
      child.stdin.on('error', () => {});
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr = (stderr + text).slice(-16_384);
      });
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (told) return shell?.hear(text);
        stdout = (stdout + text).slice(-100);
        const [, after] = /^ready\n(.*)/ms.exec(stdout) ?? [];
        if (after === undefined || child.pid === undefined) return;
        told = true;
        shell?.hear(after);
        signal.removeEventListener('abort', abort);
        observe({ type: 'process.spawned', process: 'init', role: 'main', pid: child.pid, argv: [program, ...args] });
        const pid = Number(/^pid (\d+)$/m.exec(stdout)?.[1] ?? 0);
        resolve(new SessionInit(child, exited, runs(pid) ? pid : null, observe, shell));
      });
      if (child.pid !== undefined) {
        // Written down before anything is made: until it is told to go on, the process only waits.
        struck = host.acquire({ kind: 'process', name: String(child.pid), startTime: startTimeOf(child.pid) });
        child.stdin.write('go\n');
        if (plan !== null) shell?.stdin.write(plan.script);
      }
    });
  }

  /** Ends the session's processes; resolves when they are gone. @throws the signal's reason where they will not go */
  async stop(signal: AbortSignal): Promise<void> {
    const isThere = this.#child.exitCode === null && this.#child.signalCode === null;
    // Its parent tells of its end when all in its pid namespace are gone: a connection that broke of it is seen before.
    if (!this.#ending && isThere && this.#pid !== null && hasEnded(this.#pid)) this.#observe(ENDED_BEFORE);
    this.#ending = true;
    // Who reads its stdin for it may be stopped, by whoever stops all that there is to stop.
    if (isThere && this.#pid !== null) endInit(this.#pid);
    this.#child.stdin?.end();
    await new Promise<void>((resolve, reject) => {
      const abort = () => {
        reject(signal.reason);
      };
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      void this.#exited.then(() => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
    });
  }
}
