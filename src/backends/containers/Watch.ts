import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Clock } from '../../events/index.ts';
import { startProgram } from '../../host/index.ts';
import { notStarted, ownEnvironment } from '../shared/runProgram.ts';
import { STARTED } from './commands.ts';

/** How the process ended that starts and watches a container. */
export interface WatchEnd {
  readonly status: number | null;
  readonly killedBy: NodeJS.Signals | null;
  /** What the program itself said; of a container without a terminal, also what it said on stderr. */
  readonly stderr: string;
}

/** How to watch a container. */
export interface WatchOptions {
  readonly signal: AbortSignal;
  /** Is told what the container prints. */
  readonly console: (chunk: Uint8Array) => void;
  /** Whether the container runs, by a question to the program; a question that fails is no answer. */
  readonly runs: () => Promise<boolean>;
  readonly clock: Clock;
}

/**
 * Milliseconds after which the program is asked whether the container runs, again and again. It tells that by what the
 * container prints first, but podman loses what is printed before conmon(8) has taken its attaching client in.
 */
const ASK = 1000;

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
  static async start(argv: readonly string[], options: WatchOptions): Promise<Watch> {
    const { signal, console, runs, clock } = options;
    let stopAsking = () => {};
    signal.throwIfAborted();
    const [program = '', ...args] = argv;
    const child = startProgram(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: ownEnvironment(),
    });
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
        child.stdout.on('data', withoutLine(STARTED, console, resolve));
        stopAsking = askUntil(runs, clock, resolve);
        void ended.then((end) => reject(new NotStarted(end)));
      });
      return watch;
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      stopAsking();
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

/** Asks until the answer is yes, or until it is told to stop. @returns what stops it */
function askUntil(ask: () => Promise<boolean>, clock: Clock, then: () => void): () => void {
  let stopped = false;
  let timer = clock.after(ASK, look);
  function look(): void {
    void ask().then(
      (yes) => {
        if (stopped) return;
        if (yes) then();
        else timer = clock.after(ASK, look);
      },
      () => {
        if (!stopped) timer = clock.after(ASK, look);
      },
    );
  }
  return () => {
    stopped = true;
    clock.clear(timer);
  };
}

/**
 * Hands on all bytes but lines that are `line`, and calls `seen` for each of those. What may be the beginning of such a
 * line is held until that is known.
 */
export function withoutLine(
  line: string,
  rest: (chunk: Uint8Array) => void,
  seen: () => void = () => {},
): (chunk: Buffer) => void {
  const forms = [`${line}\n`, `${line}\r\n`].map((form) => Buffer.from(form));
  let held: Buffer = Buffer.alloc(0);
  let fresh = true;
  return (chunk) => {
    let bytes = Buffer.concat([held, chunk]);
    const kept: Buffer[] = [];
    while (bytes.length > 0) {
      const own = fresh ? forms.find((form) => form.equals(bytes.subarray(0, form.length))) : undefined;
      if (own === undefined) {
        if (fresh && forms.some((form) => form.subarray(0, bytes.length).equals(bytes))) break;
        const end = bytes.indexOf('\n') + 1;
        kept.push(bytes.subarray(0, end === 0 ? bytes.length : end));
        fresh = end > 0;
        bytes = bytes.subarray(end === 0 ? bytes.length : end);
      } else {
        seen();
        bytes = bytes.subarray(own.length);
      }
    }
    held = bytes;
    if (kept.length > 0) rest(Buffer.concat(kept));
  };
}
