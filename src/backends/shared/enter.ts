import { type Place, ROOT_PATH } from '../../standin/index.ts';
import { BackendError } from '../contract.ts';
import { failureOfProgram, lastLine, ownEnvironment, type ProgramResult, runProgram } from './runProgram.ts';

/** An account of a testbed, as far as entering needs it. */
export interface UserIds {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * How to run a program inside a testbed, as its root and with stdin, stdout and stderr passed through: a prefix such
 * as `nsenter -t PID --mount --pid --`, `schroot --run-session -c ID -u root --`, `podman exec -i NAME`,
 * `lxc-attach -n NAME --clear-env --`. It must not need a network, and must work many times at once.
 */
export interface Enter {
  readonly argv: readonly string[];
  /** Whether the program gets the environment that the prefix was started with; else it is handed over by env(1). */
  readonly environment: 'passed' | 'dropped';
  /** Whether a daemon stands between, which may die: then the end of the prefix is not the program's. Absent: none does. */
  readonly daemon?: boolean;
  /** Where the prefix leads, if that is namespaces and a root directory and no more. */
  readonly place?: Place;
  /**
   * The prefix where stdin, stdout and stderr are a terminal, which the program is to be on, or on one that follows it.
   * Absent: it is the same.
   */
  readonly terminal?: Pick<Enter, 'argv' | 'as'>;
  /** The prefix that runs a program as somebody else; used where the image has no setpriv(1) of its own. */
  as?(user: UserIds): readonly string[];
}

/** Milliseconds that a question to a testbed may take, where no verb's deadline bounds it. */
export const QUESTION_LIMIT = 20_000;

/** The environment of our own scripts inside a testbed. */
export const PLAIN = { PATH: ROOT_PATH, LC_ALL: 'C.UTF-8' };

/**
 * Runs a shell script of our own inside a testbed, as root, with `input` appended to what it reads. The script comes
 * through stdin, so that nothing in it can be seen in a list of processes.
 * @throws BackendError `no-shell`, `wrong-architecture` where the image's /bin/sh is missing or foreign
 */
export async function askInside(
  enter: Enter,
  script: string,
  options: { signal: AbortSignal; args?: readonly string[] },
): Promise<ProgramResult> {
  const argv = [...enter.argv, '/bin/sh', '-s', '--', ...(options.args ?? [])];
  // A client finds its daemon by what stands in our own environment.
  const env = enter.environment === 'passed' ? PLAIN : ownEnvironment();
  const result = await runProgram(argv, { signal: options.signal, input: script, env });
  throwIfNoShell(argv[0] ?? '', result);
  return result;
}

/** As {@link askInside}, for a script that must succeed; gives its stdout. */
export async function tellInside(
  enter: Enter,
  script: string,
  options: { signal: AbortSignal; args?: readonly string[]; code: string; doing: string; remedy?: string },
): Promise<string> {
  const result = await askInside(enter, script, options);
  if (result.status !== 0) throw failureOfProgram(enter.argv[0] ?? '', result, options);
  return result.stdout;
}

/** The shell that a testbed has for people; asked as root. @throws BackendError where it cannot be entered */
export async function shellInside(enter: Enter, signal: AbortSignal): Promise<string> {
  const told = { code: 'enter-failed', doing: 'looking for a shell in the testbed' };
  return lastLine(await tellInside(enter, 'command -v bash || echo /bin/sh', { signal, ...told }));
}

/** Entering worked, but there was no shell that could run. @throws BackendError */
export function throwIfNoShell(program: string, { status, stderr }: Pick<ProgramResult, 'status' | 'stderr'>): void {
  if (status === 0) return;
  const words = lastLine(stderr);
  if (/Exec format error|exec format error/.test(stderr)) {
    throw new BackendError(
      'wrong-architecture',
      `the image's /bin/sh is for another kind of processor (this machine: ${process.arch}): ${words}`,
      { remedy: 'use an image of this architecture, or apt-get install qemu-user-static' },
    );
  }
  // schroot(1) has no exit status of its own for it.
  const notExecuted = status === 126 || status === 127 || stderr.includes('Failed to execute');
  // lxc(1) and incus(1) do not say which.
  if (notExecuted && /\/bin\/sh|^Error: Command not found$/m.test(stderr)) {
    throw new BackendError('no-shell', `the image has no /bin/sh that runs: ${program}: ${words}`, {
      remedy: 'use an image with a POSIX shell, and with the libraries that it needs',
    });
  }
}
