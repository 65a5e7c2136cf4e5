import type { ChildProcess } from 'node:child_process';
import { startProgram } from '../../host/index.ts';
import { CopyError } from './exec.ts';

/** Characters of a program's complaints that are kept. */
const WORDS = 4000;

const OTHER_CODES: readonly (readonly [RegExp, string])[] = [
  [/Read-only file system/i, 'EROFS'],
  [/Not a directory/i, 'ENOTDIR'],
  [/Is a directory/i, 'EISDIR'],
  [/File exists/i, 'EEXIST'],
  [/File name too long/i, 'ENAMETOOLONG'],
];

/** A tar on the host. */
export interface LocalTar {
  readonly child: ChildProcess & {
    stdin: NonNullable<ChildProcess['stdin']>;
    stdout: NonNullable<ChildProcess['stdout']>;
  };
  /** Resolves at its end, rejects with what it complained of. */
  readonly ended: Promise<void>;
}

/**
 * Starts GNU tar on the host, with no mask for modes. Its messages are in English: some are told apart by their text.
 * @throws CopyError where no file descriptor is left
 */
export function startTar(args: readonly string[], signal: AbortSignal | undefined): LocalTar {
  const child = start(args);
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-WORDS);
  });
  const kill = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new CopyError('copy-failed', {
          code: error.code ?? null,
          message: `tar on the host cannot be run: ${error.message}`,
        }),
      );
    });
    child.once('close', (status, killedBy) => {
      signal?.removeEventListener('abort', kill);
      if (status === 0) resolve();
      else reject(complaint('host', complaints, killedBy === null ? `exit status ${status}` : `signal ${killedBy}`));
    });
  });
  // Whoever awaits it hears of it; until then it is not unhandled.
  ended.catch(() => {});
  return { child, ended };
}

function start(args: readonly string[]) {
  // Nothing is made by a tar that only reads.
  const [program, words] = args.includes('--create')
    ? ['tar', args]
    : ['/bin/sh', ['-c', 'umask 0; exec tar "$@"', 'sh', ...args]];
  try {
    return startProgram(program, words, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CopyError('copy-failed', { code: code ?? null, message: `on the host: ${message}` });
  }
}

/** What a side's program complained of, as a failure of that side. Pure. */
export function complaint(side: 'host' | 'testbed', words: string, end: string): CopyError {
  const message = words.trim() === '' ? `tar on the ${side} ended with ${end}` : `on the ${side}: ${words.trim()}`;
  // GNU tar says no more than that where the last block found only some room.
  if (/No space left on device|Disk quota exceeded|Wrote only \d+ of \d+ bytes/i.test(words)) {
    return new CopyError(side === 'host' ? 'host-disk-full' : 'testbed-disk-full', { code: 'ENOSPC', message });
  }
  const code = /Permission denied/i.test(words)
    ? 'EACCES'
    : /No such file or directory|nonexistent directory/i.test(words)
      ? 'ENOENT'
      : (OTHER_CODES.find(([text]) => text.test(words))?.[1] ?? null);
  return new CopyError('copy-failed', { code, message });
}
