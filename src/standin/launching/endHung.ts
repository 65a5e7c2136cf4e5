import type { Clock } from '../../events/index.ts';
import type { Launched } from './contract.ts';

/** Milliseconds in which a client is to end, or to bring something more. */
const PATIENCE = 5000;

/**
 * Ends a client whose command has ended, by the word of the command's side, where it does not end and brings nothing more
 * either: of many clients of LXD 5.0 that run at once, one in some hundred has brought everything and then waits for ever.
 * A client that waits for whoever takes its output is not to blame.
 */
export function endHung({ pid, stdout, ended }: Launched, clock: Clock): void {
  let before = bytesOf(stdout);
  let timer: unknown = null;
  const arm = () => {
    timer = clock.after(PATIENCE, () => {
      const now = bytesOf(stdout);
      if (now === before && !stdout.isPaused()) return end(pid);
      before = now;
      arm();
    });
  };
  arm();
  const over = () => clock.clear(timer);
  ended.then(over, over);
}

/** What has come, whoever has taken it: a listener of our own would take it from others. */
function bytesOf(stdout: Launched['stdout']): number {
  return (stdout as { bytesRead?: number }).bytesRead ?? 0;
}

function end(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: it has just ended.
  }
}
