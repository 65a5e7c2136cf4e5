import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { RunningServer } from '../../../events/index.ts';
import { startProgram } from '../../../host/index.ts';
import { type Enter, PLAIN, throwIfNoShell } from '../enter.ts';
import { notStarted, ownEnvironment, type ProgramResult } from '../runProgram.ts';

/** The line after which a script is an SSH server. */
export const SERVING = 'trundle: from here on sshd';

/** Milliseconds that a server may take to greet before whoever dials it shall find out why. */
const GREETING_LIMIT = 2000;

/** Milliseconds after the end of its stdin in which a server ends by itself. */
const FAREWELL = 1000;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** What a script said, and what has become of it. */
export interface Entered {
  /** How it ended; where it has become a server, status 0 and what it said before. */
  readonly result: ProgramResult;
  /** The server that it has become; null where it has ended. */
  readonly server: WaitingServer | null;
  /** Whether it had become a server, whatever came of that. */
  readonly served: boolean;
}

/**
 * Runs a script of our own inside a testbed, as askInside() does, that may become an SSH server by exec: one way in for
 * both. It comes through stdin, which stays open for the server's client.
 * @throws BackendError `no-shell`, `wrong-architecture` where the image's /bin/sh is missing or foreign
 */
export async function enterSession(
  enter: Enter,
  script: string,
  { signal, args }: { signal: AbortSignal; args: readonly string[] },
): Promise<Entered> {
  signal.throwIfAborted();
  const [program = '', ...words] = [...enter.argv, '/bin/sh', '-s', '--', ...args];
  // A client finds its daemon by what stands in our own environment.
  const env = enter.environment === 'passed' ? PLAIN : ownEnvironment();
  const child = startProgram(program, words, { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const entered = await new Promise<Entered>((resolve, reject) => {
    let stdout = Buffer.alloc(0);
    let stderr = '';
    let late: NodeJS.Timeout | null = null;
    const onStderr = (chunk: Buffer) => {
      stderr += chunk.toString();
    };
    const serving = () => {
      const mark = stdout.indexOf(`\n${SERVING}\n`);
      return mark === -1 ? null : { before: mark + 1, after: mark + SERVING.length + 2 };
    };
    const done = () => {
      if (late !== null) clearTimeout(late);
      signal.removeEventListener('abort', abort);
      child.stdout.off('data', onStdout);
      child.stderr.off('data', onStderr);
      child.off('close', onClose);
    };
    const abort = () => {
      done();
      end(child);
      reject(signal.reason);
    };
    const handOver = () => {
      const { before, after } = serving() ?? { before: 0, after: 0 };
      done();
      // Who dials it reads on.
      child.stdout.pause();
      child.stderr.pause();
      if (stdout.length > after) child.stdout.unshift(stdout.subarray(after));
      const told = stdout.subarray(0, before).toString();
      const result = { status: 0, killedBy: null, stdout: told, stderr };
      resolve({ result, served: true, server: new WaitingServer(child, stderr) });
    };
    const onStdout = (chunk: Buffer) => {
      stdout = Buffer.concat([stdout, chunk]);
      const at = serving();
      if (at === null) return;
      if (stdout.length > at.after) handOver();
      else late ??= setTimeout(handOver, GREETING_LIMIT);
    };
    const onClose = (status: number | null, killedBy: NodeJS.Signals | null) => {
      done();
      const at = serving();
      const told = stdout.subarray(0, at?.before ?? stdout.length).toString();
      resolve({ result: { status, killedBy, stdout: told, stderr }, served: at !== null, server: null });
    };
    signal.addEventListener('abort', abort, { once: true });
    child.once('error', (error) => {
      done();
      reject(notStarted(program, error));
    });
    child.once('close', onClose);
    child.stdout.on('data', onStdout);
    child.stderr.on('data', onStderr);
    // It may end before it has read everything.
    child.stdin.on('error', () => {});
    child.stdin.write(script);
  });
  if (!entered.served) throwIfNoShell(program, entered.result);
  return entered;
}

/** A server that waits for its one client. */
export class WaitingServer {
  readonly #child: Child;
  readonly #words: string;
  #taken = false;

  constructor(child: Child, words: string) {
    this.#child = child;
    this.#words = words;
  }

  /** Hands it over to its client; null where it has had one, or has ended. */
  take(): RunningServer | null {
    if (this.#taken || hasEnded(this.#child)) return null;
    this.#taken = true;
    return { child: this.#child, words: this.#words };
  }

  /** Ends it where no client came; resolves when it is gone. */
  async close(): Promise<void> {
    if (this.#taken || hasEnded(this.#child)) return;
    this.#taken = true;
    const gone = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.stdin.destroy();
    const late = setTimeout(() => end(this.#child), FAREWELL);
    await gone;
    clearTimeout(late);
    end(this.#child);
  }
}

function hasEnded({ exitCode, signalCode }: Child): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Ends a process with its group, and reads no more of what it says. */
function end(child: Child): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // ESRCH: nobody is left, which is what was wanted.
  }
  child.stdout.destroy();
  child.stderr.destroy();
}
