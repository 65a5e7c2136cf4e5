import type { ChildProcess, ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

/** A program at the other end of three pipes. */
export interface PipedProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves once it has ended; what it said before may still have to be read. */
  readonly exited: Promise<void>;
  /** Is called once it has been hung up on: sees to it that it ends, which it may do by itself. */
  farewell(): void;
}

/** A child of this process, which keeps it from outliving us once it has been hung up on. */
export function pipedChild(child: ChildProcessByStdio<Writable, Readable, Readable>): PipedProcess {
  const { stdin, stdout, stderr } = child;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return { stdin, stdout, stderr, exited, farewell: () => farewell(child) };
}

/** Milliseconds after a hang-up in which a process ends by itself. */
const FAREWELL = 1000;

/** Processes that have been hung up on and have not ended yet. None outlives this one. */
const leaving = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of leaving) end(child);
});

/**
 * Lets a process end by itself, as a server does with its stdin, before it is killed. Killed at once, nsenter(1) would
 * leave its child to this machine's init, and a pid namespace is not gone before that has collected it, which may take
 * it seconds. For as long as its child is stopped it has stopped itself, and does not collect it either: it is to go on.
 */
function farewell(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  leaving.add(child);
  child.kill('SIGCONT');
  const late = setTimeout(() => end(child), FAREWELL).unref();
  child.once('exit', () => {
    clearTimeout(late);
    leaving.delete(child);
  });
}

/** A process that is stopped takes nothing but SIGKILL before it goes on. */
function end(child: ChildProcess): void {
  child.kill('SIGTERM');
  child.kill('SIGCONT');
}
