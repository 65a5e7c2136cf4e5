import { PassThrough } from 'node:stream';
import { Observable } from 'rxjs';
import type { InteractiveTerminal } from '../../runner/index.ts';
import type { Io } from '../Io.ts';
import type { Screen } from './Screen.ts';

/**
 * The process's terminal, to be lent to a shell in the testbed: raw while it is lent, as it was afterwards, whatever
 * happens. Null where stdin is no terminal.
 * @param output where the shell's output goes; a terminal too
 */
export function interactiveTerminal(io: Io, screen: Screen, output = io.stdout): InteractiveTerminal | null {
  const { stdin } = io;
  if (stdin.isTTY !== true || output.isTTY !== true) return null;
  let lent: PassThrough | null = null;
  const restore = () => {
    if (stdin.isRaw) stdin.setRawMode(false);
  };
  process.on('exit', restore);
  return {
    acquire() {
      // The shell gets a stream of its own: it may end it, and the process's stdin must stay.
      lent = new PassThrough();
      screen.suspend();
      stdin.setRawMode(true);
      stdin.pipe(lent);
      return {
        stdin: lent,
        stdout: output,
        size: sizeOf(output),
        resizes$: resizesOf(output),
        term: io.env.TERM ?? 'xterm',
      };
    },
    release() {
      if (lent !== null) stdin.unpipe(lent);
      lent?.destroy();
      lent = null;
      stdin.pause();
      restore();
      screen.resume();
    },
  };
}

interface Sized {
  readonly columns?: number;
  readonly rows?: number;
}

function sizeOf({ columns = 80, rows = 24 }: Sized): { columns: number; rows: number } {
  return { columns, rows };
}

/** Node turns SIGWINCH into this stream's event. */
function resizesOf(output: Io['stdout']): Observable<{ columns: number; rows: number }> {
  return new Observable((subscriber) => {
    const tell = () => subscriber.next(sizeOf(output));
    output.on('resize', tell);
    return () => output.off('resize', tell);
  });
}
