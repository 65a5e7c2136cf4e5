import type { Clock } from '../../events/index.ts';
import { startProgram } from '../../host/index.ts';

/** Bytes of its stderr that are kept. */
const KEPT = 4096;

/**
 * Runs a command that removes a resource, without a shell.
 * @param limit milliseconds it may run; then its process group is killed
 * @returns why it failed, or null where it ended with status 0
 */
export function runCommand(argv: readonly string[], limit: number, clock: Clock): Promise<string | null> {
  const [program, ...args] = argv;
  if (program === undefined) return Promise.resolve('the command that would remove it is empty');
  return new Promise<string | null>((resolve) => {
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
      resolve(`${program} could not be run: ${error.message}`);
    });
    child.on('close', (status, signal) => {
      clock.clear(deadline);
      const words = said.trim() === '' ? '' : `: ${said.trim().split('\n').at(-1)}`;
      if (status === 0) resolve(null);
      else if (late) resolve(`${program} did not end within ${limit} ms${words}`);
      else
        resolve(`${program} ${signal === null ? `exited with status ${status}` : `was killed by ${signal}`}${words}`);
    });
  }).catch((error: Error) => `${program} could not be run: ${error.message}`);
}
