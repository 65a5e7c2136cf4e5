import { type PipedProcess, pipedChild, startProgram } from '../../../host/index.ts';
import { type Enter, PLAIN, throwIfNoShell } from '../enter.ts';
import { notStarted, ownEnvironment, type ProgramResult } from '../runProgram.ts';

/** How a shell ended. */
export type ShellEnd = Pick<ProgramResult, 'status' | 'killedBy'>;

/** A shell inside a testbed, as its root, that takes a script from its stdin and may become an SSH server by exec. */
export interface EntryShell extends PipedProcess {
  /** Settles at its end, once all that it said has been read; rejects where it could not be started. */
  readonly closed: Promise<ShellEnd>;
  hasEnded(): boolean;
  /** Ends it at once with what it has started, and reads no more of what it says. */
  end(): void;
  /** @throws BackendError `no-shell`, `wrong-architecture` where it ended because the image's /bin/sh is missing or foreign */
  explain(result: ProgramResult): void;
}

/** Starts a shell by a prefix. */
export function startShell(enter: Enter, args: readonly string[]): EntryShell {
  const [program = '', ...words] = [...enter.argv, '/bin/sh', '-s', '--', ...args];
  // A client finds its daemon by what stands in our own environment.
  const env = enter.environment === 'passed' ? PLAIN : ownEnvironment();
  const child = startProgram(program, words, { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  // It may end before it has read everything.
  child.stdin.on('error', () => {});
  const closed = new Promise<ShellEnd>((resolve, reject) => {
    child.once('error', (error) => reject(notStarted(program, error)));
    child.once('close', (status, killedBy) => resolve({ status, killedBy }));
  });
  closed.catch(() => {});
  return {
    ...pipedChild(child),
    closed,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    end() {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // ESRCH: nobody is left, which is what was wanted.
      }
      child.stdout.destroy();
      child.stderr.destroy();
    },
    explain: (result) => throwIfNoShell(program, result),
  };
}
