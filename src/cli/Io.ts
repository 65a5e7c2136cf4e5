import { fstatSync } from 'node:fs';
import { PassThrough, type Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { isatty, type ReadStream } from 'node:tty';
import { colorsFor } from './live/colors.ts';
import type { Output } from './live/Screen.ts';
import { USAGE_EXIT_CODE } from './UsageError.ts';

/** What a process that SIGPIPE ended exits with: 128 and the number of the signal. */
const READER_GONE = 141;

/** What a write fails with where whoever read has gone away, a terminal included. */
const GONE = ['EPIPE', 'EIO', 'ECONNRESET'];

/** The terminals that the process was started on. */
const TERMINALS = [0, 1, 2].filter((fd) => isatty(fd)).map((fd) => ({ fd, ino: fstatSync(fd).ino }));

/** The process as a verb sees it. */
export class Io {
  readonly #of: Pick<NodeJS.Process, 'stdin'>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Called instead of leaving when what is printed can no longer be written, as in `trundle ... | head`. */
  onOutputLost: ((readerGone: boolean) => void) | null = null;
  /** Why stdout could not be written, where that is not because its reader has left. */
  outputError: Error | null = null;

  constructor(of: Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr' | 'env'>) {
    this.#of = of;
    this.stdout = of.stdout;
    this.stderr = of.stderr;
    this.env = of.env;
    // With nobody to read what goes wrong there is nobody to tell.
    this.stderr.on('error', () => {});
    this.stdout.on('error', (error: NodeJS.ErrnoException) => {
      const readerGone = GONE.includes(error.code ?? '');
      if (!readerGone) this.outputError ??= error;
      if (this.onOutputLost !== null) this.onOutputLost(readerGone);
      else if (readerGone) leaveNow(READER_GONE);
    });
  }

  /** Opened when it is first asked for: most verbs read nothing. */
  get stdin(): ReadStream {
    return this.#of.stdin;
  }

  /** Prints one document of a verb with --json. */
  document(value: unknown): void {
    this.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** Tells a person what is wrong; the word in front says where it comes from. */
  complain(from: string, message: string, hint: string | null = null): void {
    const { red } = colorsFor(this.stderr, this.env);
    this.stderr.write(`${red(`${from}:`)} ${message}\n`);
    if (hint !== null) this.stderr.write(`${' '.repeat(from.length + 2)}${hint}\n`);
  }

  /**
   * The process's stdin as a stream that others may end. Where stdin cannot be read it ends, and `say` is told.
   * @returns the stream, and what takes stdin back
   */
  lendStdin(say: (message: string) => void): { stdin: Readable; takeBack: () => void } {
    const lent = new PassThrough();
    const { stdin } = this;
    const failed = (error: Error) => {
      say(`standard input cannot be read: ${error.message}`);
      lent.end();
    };
    stdin.on('error', failed);
    stdin.pipe(lent);
    return {
      stdin: lent,
      takeBack: () => {
        stdin.unpipe(lent);
        stdin.pause();
        // From now on nobody is interested.
        stdin.off('error', failed).on('error', () => {});
        lent.destroy();
      },
    };
  }

  /** Ends the process once all that was written has been read, whatever else would keep it going. */
  async leave(exitCode: number): Promise<never> {
    await flushed(this.stdout);
    if (this.outputError !== null)
      this.complain('trundle', `cannot write to standard output: ${this.outputError.message}`);
    await flushed(this.stderr);
    leaveNow(this.outputError !== null && exitCode === 0 ? USAGE_EXIT_CODE : exitCode);
  }
}

/**
 * Ends the process at once: by the signal, where one asked for it, since then nothing can hold it up. Where a terminal has
 * been closed, always by SIGHUP: Node.js gives terminals back as they were, and aborts where one is not there any more.
 */
export function leaveNow(exitCode: number = USAGE_EXIT_CODE, signal: NodeJS.Signals | null = null): never {
  const last = TERMINALS.some(isClosed) ? 'SIGHUP' : signal;
  if (last !== null) {
    process.removeAllListeners(last);
    process.kill(process.pid, last);
  }
  process.exit(exitCode);
}

/** Whether a terminal has been closed, and its descriptor is none of something else by now. */
function isClosed({ fd, ino }: (typeof TERMINALS)[number]): boolean {
  try {
    return fstatSync(fd).ino === ino && !isatty(fd);
  } catch {
    // EBADF: Node.js does nothing about it then.
    return false;
  }
}

async function flushed(stream: Output): Promise<void> {
  if (!stream.destroyed && stream.writableLength > 0) {
    await new Promise<void>((resolve) => {
      stream.once('error', () => resolve());
      stream.write('', () => resolve());
    });
  }
  // What went wrong with the last write is told after it.
  await setImmediate();
}
