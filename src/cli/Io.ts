import type { ReadStream } from 'node:tty';
import { colorsFor } from './live/colors.ts';
import type { Output } from './live/Screen.ts';
import { USAGE_EXIT_CODE } from './UsageError.ts';

/** What a process that SIGPIPE ended exits with: 128 and the number of the signal. */
const READER_GONE = 141;

/** The process as a verb sees it. */
export class Io {
  readonly stdin: ReadStream;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Called instead of leaving when whoever reads stdout has gone away, as in `trundle ... | head`. */
  onReaderGone: (() => void) | null = null;

  constructor(of: Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr' | 'env'>) {
    this.stdin = of.stdin;
    this.stdout = of.stdout;
    this.stderr = of.stderr;
    this.env = of.env;
    // With nobody to read what goes wrong there is nobody to tell.
    this.stderr.on('error', () => {});
    this.stdout.on('error', () => {
      if (this.onReaderGone === null) process.exit(READER_GONE);
      this.onReaderGone();
    });
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

  /** Ends the process once all that was written has been read, whatever else would keep it going. */
  async leave(exitCode: number): Promise<never> {
    process.exitCode = exitCode;
    await Promise.all([flushed(this.stdout), flushed(this.stderr)]);
    process.exit(exitCode);
  }
}

/** Ends the process at once: by the signal, where one asked for it, since then nothing can hold it up. */
export function leaveNow(exitCode: number = USAGE_EXIT_CODE, signal: NodeJS.Signals | null = null): never {
  if (signal !== null) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  }
  process.exit(exitCode);
}

function flushed(stream: Output): Promise<void> {
  if (stream.destroyed || stream.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}
