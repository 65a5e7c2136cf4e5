import { type ChildProcess, spawn } from 'node:child_process';

/**
 * `spawn` of node:child_process, without its trap: where no file descriptor is left, that gives a child without a pid
 * and without streams, whose `kill()` is kill(0) (kill(2)), the end of our own process group.
 * @throws NodeJS.ErrnoException `EMFILE` with a `remedy` where no descriptor is left. All else is told by the event `error`
 */
export const startProgram: typeof spawn = ((...words: Parameters<typeof spawn>): ChildProcess => {
  const child = spawn(...words);
  // As long as it is none of Node's declared forms.
  if ((child as { stdio?: unknown }).stdio !== undefined) return child;
  child.once('error', () => {});
  throw Object.assign(new Error(`${words[0]} could not be started: no file descriptor is left`), {
    code: 'EMFILE',
    syscall: 'spawn',
    remedy: 'ulimit -n 4096; where that changes nothing, see /proc/sys/fs/file-nr',
  });
}) as typeof spawn;
