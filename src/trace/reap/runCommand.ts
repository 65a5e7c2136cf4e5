import type { Clock } from '../../events/index.ts';
import { startProgram } from '../../host/index.ts';

/** Bytes of its stderr that are kept. */
const KEPT = 4096;

/** How a command ended. */
export interface CommandEnd {
  /** Null where it could not be run, or was killed. */
  status: number | null;
  /** The last line that it said on stderr. */
  said: string;
  /** Why it failed, or null where it ended with status 0. */
  why: string | null;
}

/**
 * Runs a command that removes a resource, or tells of it, without a shell.
 * @param limit milliseconds it may run; then its process group is killed
 */
export function runCommand(argv: readonly string[], limit: number, clock: Clock): Promise<CommandEnd> {
  const [program, ...args] = argv;
  const notRun = (why: string): CommandEnd => ({ status: null, said: '', why });
  if (program === undefined) return Promise.resolve(notRun('the command is empty'));
  return new Promise<CommandEnd>((resolve) => {
    const child = startProgram(program, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    let said = '';
    let late = false;
    const deadline = clock.after(limit, () => {
      late = true;
      // Never started: its error event says so.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      // A grandchild that left the group may hold stderr open for ever.
      child.stderr.destroy();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-KEPT);
    });
    child.on('error', (error) => {
      clock.clear(deadline);
      resolve(notRun(`${program} could not be run: ${error.message}`));
    });
    child.on('close', (status, signal) => {
      clock.clear(deadline);
      const last = said.trim().split('\n').at(-1) ?? '';
      const words = last === '' ? '' : `: ${last}`;
      const how = signal === null ? `exited with status ${status}` : `was killed by ${signal}`;
      const why = late ? `${program} did not end within ${limit} ms${words}` : `${program} ${how}${words}`;
      resolve({ status: late ? null : status, said: last, why: status === 0 ? null : why });
    });
  }).catch((error: Error) => notRun(`${program} could not be run: ${error.message}`));
}
