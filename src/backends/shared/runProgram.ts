import { startProgram } from '../../host/index.ts';
import { BackendError } from '../contract.ts';
import { installCommand, missedProgram, searchPath } from './programs.ts';

/** How to run a program to its end. */
export interface ProgramOptions {
  /** Aborting it kills the program with all its process group. Every wait needs an end: give one with a deadline. */
  readonly signal: AbortSignal;
  /** Kills it in another way; gives false where it could not. Its process group is killed then, or if absent. */
  readonly kill?: (pid: number) => boolean;
  /** What it reads; nothing if absent. */
  readonly input?: string;
  /** Its whole environment; our own, with the administrator's directories in PATH, if absent. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Bytes of stdout and of stderr that are kept, the last ones; 256 KiB if absent. */
  readonly keep?: number;
  /** Told of what it says on stderr, as it says it. */
  readonly onStderr?: (chunk: Buffer) => void;
}

/** How a program ended. */
export interface ProgramResult {
  readonly status: number | null;
  readonly killedBy: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const KEEP = 256 * 1024;

/**
 * How programs say ENOSPC and EDQUOT: in the C library's words, which Go has in small letters, or in LXD's own; tar(1)
 * may tell only of the write that fell short.
 */
export const NO_ROOM = /No space left on device|Disk quota exceeded|run out of disk space|Wrote only \d+ of \d+ bytes/i;

/** What gives more room. */
const MORE_ROOM = 'df -h; remove what is not needed, or set TMPDIR and XDG_CACHE_HOME to where there is room';

/** The error for want of room, where that is what a script of our own said; null for anything else. Pure. */
export function noRoom(stderr: string, doing: string): BackendError | null {
  if (!NO_ROOM.test(stderr)) return null;
  return new BackendError('ENOSPC', `${doing}: ${tellingLine(stderr)}`, { remedy: MORE_ROOM });
}

/**
 * Runs a program to its end, without a shell, in a process group of its own.
 * @throws BackendError `program-missing` where there is none, an errno name where it could not be started
 * @throws the signal's reason once it is aborted and the program is gone
 */
export function runProgram(argv: readonly string[], options: ProgramOptions): Promise<ProgramResult> {
  const [program = '', ...args] = argv;
  const { signal, input, cwd, keep = KEEP } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const child = startProgram(program, args, {
      cwd,
      env: options.env ?? ownEnvironment(),
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const kept = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk: Buffer) => {
        kept[name] = Buffer.concat([kept[name], chunk]).subarray(-keep);
      });
    }
    const kill = () => {
      try {
        if (child.pid !== undefined && options.kill?.(child.pid) !== true) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // ESRCH: nobody is left, which is what was wanted.
      }
      // Somebody who left the group may hold them open for ever.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    if (options.onStderr !== undefined) child.stderr.on('data', options.onStderr);
    signal.addEventListener('abort', kill, { once: true });
    const done = () => signal.removeEventListener('abort', kill);
    child.once('error', (error) => {
      done();
      reject(notStarted(program, error));
    });
    child.once('close', (status, killedBy) => {
      done();
      if (signal.aborted) reject(signal.reason);
      else resolve({ status, killedBy, stdout: kept.stdout.toString(), stderr: kept.stderr.toString() });
    });
    // It need not read what it is given.
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
  });
}

/**
 * Runs a program that must succeed, and gives its stdout.
 * @param code the BackendError's code where it fails for a reason that is not recognised
 * @throws BackendError with the last line of its stderr; `ENOSPC` where the disk is full
 */
export async function mustRun(
  argv: readonly string[],
  options: ProgramOptions & { code: string; doing: string; remedy?: string },
): Promise<string> {
  const result = await runProgram(argv, options);
  if (result.status === 0) return result.stdout;
  throw failureOfProgram(argv[0] ?? '', result, options);
}

/** The error for a program that did not succeed, with the last line of what it said. Pure. */
export function failureOfProgram(
  program: string,
  result: ProgramResult,
  { code, doing, remedy }: { code: string; doing: string; remedy?: string },
): BackendError {
  const missed = missedProgram(result.stderr);
  if (missed !== null) return programMissing(missed, doing);
  const full = NO_ROOM.test(result.stderr);
  const ended = result.killedBy === null ? `exited with status ${result.status}` : `was killed by ${result.killedBy}`;
  const words = tellingLine(result.stderr);
  return new BackendError(
    full ? 'ENOSPC' : code,
    `${doing}: ${program} ${ended}${words === '' ? '' : `: ${words}`}`,
    full ? { remedy: MORE_ROOM } : remedy === undefined ? {} : { remedy },
  );
}

/** The line that tells most of why a program failed: of a full disk, or else the last that is no mere farewell. Pure. */
export function tellingLine(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const telling = lines.filter(
    (line) =>
      !/Exiting with failure status|Error is not recoverable|rmtlseek not stopped|^Usage: |^(See|Run) '.* --help'/.test(
        line,
      ),
  );
  return (lines.find((line) => NO_ROOM.test(line)) ?? telling.at(-1) ?? lines.at(-1) ?? '').trim();
}

/** The last line that says something. Pure. */
export function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.trim() ?? '';
}

/** The error for a program that a script of our own looked for. Pure. */
export function programMissing(program: string, doing: string): BackendError {
  return new BackendError('program-missing', `${doing}: this machine has no ${program}`, {
    remedy: installCommand(program),
  });
}

/** The error for a program that could not be started. Pure. */
export function notStarted(program: string, error: NodeJS.ErrnoException): BackendError {
  if (error.code === 'ENOENT')
    return new BackendError('program-missing', `this machine has no ${program}`, {
      remedy: program.includes('/') ? `name a program that is there: ls -l ${program}` : installCommand(program),
      cause: error,
    });
  return new BackendError(error.code ?? 'not-started', `${program} could not be started: ${error.message}`, {
    cause: error,
  });
}

/**
 * A command that ends when this process does, even if it is killed: for what would otherwise go on writing where reap
 * cleans up. Pure.
 */
export function dyingWithUs(argv: readonly string[]): string[] {
  return ['setpriv', '--pdeathsig', 'KILL', '--', ...argv];
}

/** Our own environment, so that programs of the administrator are found and what they say can be read. */
export function ownEnvironment(): Record<string, string> {
  const own = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(own), PATH: searchPath(), LC_ALL: 'C.UTF-8' };
}
