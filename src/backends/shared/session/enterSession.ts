import type { RunningServer } from '../../../events/index.ts';
import type { Enter } from '../enter.ts';
import type { ProgramResult } from '../runProgram.ts';
import { type EntryShell, type ShellEnd, startShell } from './EntryShell.ts';

/** The line after which a script is an SSH server. */
export const SERVING = 'trundle: from here on sshd';

/** Milliseconds that a server may take to greet before whoever dials it shall find out why. */
const GREETING_LIMIT = 2000;

/** Milliseconds after the end of its stdin in which a server ends by itself. */
const FAREWELL = 1000;

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
  const shell = startShell(enter, args);
  shell.stdin.write(script);
  return await hear(shell, signal);
}

/**
 * What a shell says that has been given such a script, until it has ended or has become a server that greets.
 * @throws what the shell's end throws
 */
export function hear(shell: EntryShell, signal: AbortSignal): Promise<Entered> {
  return new Promise<Entered>((resolve, reject) => {
    let stdout = Buffer.alloc(0);
    let stderr = '';
    let late: NodeJS.Timeout | null = null;
    let over = false;
    const onStderr = (chunk: Buffer) => {
      stderr += chunk.toString();
    };
    const serving = () => {
      const mark = stdout.indexOf(`\n${SERVING}\n`);
      return mark === -1 ? null : { before: mark + 1, after: mark + SERVING.length + 2 };
    };
    const done = () => {
      over = true;
      if (late !== null) clearTimeout(late);
      signal.removeEventListener('abort', abort);
      shell.stdout.off('data', onStdout);
      shell.stderr.off('data', onStderr);
    };
    const abort = () => {
      done();
      shell.end();
      reject(signal.reason);
    };
    const handOver = () => {
      const { before, after } = serving() ?? { before: 0, after: 0 };
      done();
      // Who dials it reads on.
      shell.stdout.pause();
      shell.stderr.pause();
      if (stdout.length > after) shell.stdout.unshift(stdout.subarray(after));
      const told = stdout.subarray(0, before).toString();
      const result = { status: 0, killedBy: null, stdout: told, stderr };
      resolve({ result, served: true, server: new WaitingServer(shell, stderr) });
    };
    const onStdout = (chunk: Buffer) => {
      stdout = Buffer.concat([stdout, chunk]);
      const at = serving();
      if (at === null) return;
      if (stdout.length > at.after) handOver();
      else late ??= setTimeout(handOver, GREETING_LIMIT);
    };
    const onEnd = ({ status, killedBy }: ShellEnd) => {
      if (over) return;
      done();
      const at = serving();
      const told = stdout.subarray(0, at?.before ?? stdout.length).toString();
      const entered = { result: { status, killedBy, stdout: told, stderr }, served: at !== null, server: null };
      try {
        if (!entered.served) shell.explain(entered.result);
        resolve(entered);
      } catch (error) {
        reject(error);
      }
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    shell.closed.then(onEnd, (error: unknown) => {
      if (over) return;
      done();
      reject(error);
    });
    shell.stdout.on('data', onStdout);
    shell.stderr.on('data', onStderr);
  });
}

/** A server that waits for its one client. */
export class WaitingServer {
  readonly #shell: EntryShell;
  readonly #words: string;
  #taken = false;

  constructor(shell: EntryShell, words: string) {
    this.#shell = shell;
    this.#words = words;
  }

  /** Hands it over to its client; null where it has had one, or has ended. */
  take(): RunningServer | null {
    if (this.#taken || this.#shell.hasEnded()) return null;
    this.#taken = true;
    const { stdin, stdout, stderr, exited } = this.#shell;
    return { stdin, stdout, stderr, exited, farewell: () => this.#shell.farewell(), words: this.#words };
  }

  /** Ends it where no client came; resolves when it is gone. */
  async close(): Promise<void> {
    if (this.#taken || this.#shell.hasEnded()) return;
    this.#taken = true;
    this.#shell.stdin.destroy();
    const late = setTimeout(() => this.#shell.end(), FAREWELL);
    await this.#shell.exited;
    clearTimeout(late);
    this.#shell.end();
  }
}
