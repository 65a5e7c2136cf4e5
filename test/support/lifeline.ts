import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

let made = 0;

/**
 * A named pipe that tells from outside when processes are gone: whoever opens `path` for writing holds it, and so do
 * all its descendants. Tests on this machine only.
 */
export interface Lifeline extends Disposable {
  readonly path: string;
  /** A line of shell by which a process takes hold of it, for itself and all that it starts. */
  readonly hold: string;
  /** A line of shell that does the same and then goes on until the lifeline is disposed of. */
  readonly linger: string;
  /** Resolves when somebody wrote to it or let go of it. */
  readonly held: Promise<void>;
  /** Resolves when nobody holds it any more. */
  readonly released: Promise<void>;
}

/** Makes a lifeline below a directory. */
export function makeLifeline(directory: string): Lifeline {
  made += 1;
  const path = join(directory, `lifeline${made}`);
  execFileSync('mkfifo', ['-m', '666', path]);
  // A process of its own: opening a pipe blocks until the other end is open too.
  const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'ignore'] });
  const held = once(reader.stdout, 'data').then(() => {});
  const released = once(reader, 'exit').then(() => {});
  // Whoever waits for neither shall not be troubled by the reader's end.
  held.catch(() => {});
  released.catch(() => {});
  return {
    path,
    hold: `exec 9>'${path}'; echo held >&9`,
    linger: `exec 9>'${path}'; while echo held >&9; do sleep 1; done`,
    held,
    released,
    [Symbol.dispose]() {
      reader.kill('SIGKILL');
    },
  };
}
