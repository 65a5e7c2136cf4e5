import { once } from 'node:events';
import { startProgram } from '../../../host/index.ts';
import { BackendError } from '../../contract.ts';
import { lastLine, notStarted, ownEnvironment } from '../runProgram.ts';

/**
 * An exclusive lock on a file (flock(2)), held by a small process that ends with this one, so that no crash leaves it
 * behind.
 */
export class FileLock {
  readonly #free: () => Promise<void>;

  private constructor(free: () => Promise<void>) {
    this.#free = free;
  }

  /** Waits for the lock. @throws BackendError, or the signal's reason */
  static async take(file: string, signal: AbortSignal): Promise<FileLock> {
    const lock = await FileLock.#take(file, ['--exclusive'], signal);
    if (lock === null) throw new BackendError('lock-failed', `${file} cannot be locked`);
    return lock;
  }

  /** The lock, or null where somebody else has it, shared or not. */
  static tryTake(file: string, signal: AbortSignal): Promise<FileLock | null> {
    return FileLock.#take(file, ['--exclusive', '--nonblock', '--conflict-exit-code', '91'], signal);
  }

  static async #take(file: string, flags: readonly string[], signal: AbortSignal): Promise<FileLock | null> {
    signal.throwIfAborted();
    const child = startProgram('flock', [...flags, file, 'sh', '-c', 'echo locked; read -r _'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: ownEnvironment(),
    });
    const closed = once(child, 'close');
    closed.catch(() => {});
    child.stdin.on('error', () => {});
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words += text;
    });
    // Without a stdin there is nothing to wait for, and SIGTERM ends flock while it waits.
    const stop = () => {
      child.stdin.end();
      child.kill('SIGTERM');
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      const got = await new Promise<boolean>((resolve, reject) => {
        child.once('error', (error) => reject(notStarted('flock', error)));
        child.stdout.once('data', () => resolve(true));
        child.once('close', (status) => {
          if (status === 91) resolve(false);
          else reject(new BackendError('lock-failed', `${file} cannot be locked: ${lastLine(words)}`));
        });
      });
      if (!got) return null;
      return new FileLock(async () => {
        child.stdin.end();
        await closed;
      });
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Gives it back. */
  async free(): Promise<void> {
    await this.#free();
  }
}
