import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { notStarted, ownEnvironment } from '../shared/runProgram.ts';
import { STARTED } from './commands.ts';

/** How the process ended that starts and watches a container. */
export interface WatchEnd {
  readonly status: number | null;
  readonly killedBy: NodeJS.Signals | null;
  /** What the program itself said; of a container without a terminal, also what it said on stderr. */
  readonly stderr: string;
}

/** The container was not there yet. */
export class NotStarted extends Error {
  override readonly name = 'NotStarted';
  readonly end: WatchEnd;
  constructor(end: WatchEnd) {
    super('the container did not start');
    this.end = end;
  }
}

/** The process that starts a container, prints what it prints and ends as it ends (`start --attach`). */
export class Watch {
  readonly pid: number;
  readonly argv: readonly string[];
  /** Never rejects. */
  readonly ended: Promise<WatchEnd>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;

  private constructor(
    child: ChildProcessByStdio<null, Readable, Readable>,
    argv: readonly string[],
    ended: Promise<WatchEnd>,
  ) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.argv = argv;
    this.ended = ended;
  }

  /**
   * Starts the container; resolves when its first process runs.
   * @throws NotStarted where it ended before, BackendError where the program is missing, the signal's reason
   */
  static async start(
    argv: readonly string[],
    options: { signal: AbortSignal; console: (chunk: Uint8Array) => void },
  ): Promise<Watch> {
    const { signal, console } = options;
    signal.throwIfAborted();
    const [program = '', ...args] = argv;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: ownEnvironment() });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-16_384);
    });
    const ended = new Promise<WatchEnd>((resolve) => {
      child.once('close', (status, killedBy) => resolve({ status, killedBy, stderr }));
    });
    const watch = new Watch(child, argv, ended);
    const kill = () => watch.kill();
    signal.addEventListener('abort', kill, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        child.once('error', (error) => reject(notStarted(program, error)));
        child.stdout.on('data', firstLine(STARTED, resolve, console));
        void ended.then((end) => reject(new NotStarted(end)));
      });
      return watch;
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener('abort', kill);
    }
  }

  /** Ends the watching, whatever becomes of the container. */
  kill(): void {
    try {
      if (this.pid > 0 && this.#child.exitCode === null && this.#child.signalCode === null)
        process.kill(-this.pid, 'SIGKILL');
    } catch {
      // ESRCH: it has just ended, which is what was wanted.
    }
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }
}

/** Calls `seen` at a line of its own, and hands on all other bytes. */
function firstLine(line: string, seen: () => void, rest: (chunk: Uint8Array) => void): (chunk: Buffer) => void {
  let head: Buffer | null = Buffer.alloc(0);
  return (chunk) => {
    if (head === null) return rest(chunk);
    head = Buffer.concat([head, chunk]);
    const at = head.indexOf(line);
    const end = at < 0 ? -1 : head.indexOf('\n', at);
    if (end < 0) return;
    const before = head.subarray(0, at);
    const after = head.subarray(end + 1);
    head = null;
    if (before.length > 0) rest(before);
    seen();
    if (after.length > 0) rest(after);
  };
}
