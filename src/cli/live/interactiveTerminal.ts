import { Observable } from 'rxjs';
import type { InteractiveTerminal } from '../../runner/index.ts';
import type { Io } from '../Io.ts';
import type { Watch } from './Watch.ts';

/**
 * The process's terminal, to be lent to a shell in the testbed: raw while it is lent, as it was afterwards, whatever
 * happens. Null where stdin is no terminal.
 * @param output where the shell's output goes; a terminal too
 */
export function interactiveTerminal(io: Io, watch: Watch, output = io.stdout): InteractiveTerminal | null {
  const { stdin } = io;
  if (stdin.isTTY !== true || output.isTTY !== true) return null;
  const { screen } = watch;
  let takeBack: (() => void) | null = null;
  const restore = () => {
    if (stdin.isRaw) stdin.setRawMode(false);
  };
  process.on('exit', restore);
  return {
    acquire() {
      screen.suspend();
      stdin.setRawMode(true);
      const lent = io.lendStdin((message) => watch.say(message));
      takeBack = lent.takeBack;
      const term = io.env.TERM ?? 'xterm';
      return { stdin: lent.stdin, stdout: output, size: sizeOf(output), resizes$: resizesOf(output), term };
    },
    release() {
      takeBack?.();
      takeBack = null;
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
