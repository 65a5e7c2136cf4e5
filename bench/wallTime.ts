import { spawnSync } from 'node:child_process';
import type { BenchAccount } from './account.ts';
import { milliseconds } from './options.ts';

/** How long a program takes from its start to its end. @throws Error where it does not end with 0 */
export function wallTime(program: string, args: readonly string[], account?: BenchAccount): Promise<number> {
  const as =
    account === undefined
      ? {}
      : {
          uid: account.uid,
          gid: account.gid,
          cwd: account.home,
          env: { PATH: '/usr/bin:/bin', HOME: account.home, USER: account.name, LOGNAME: account.name },
        };
  return milliseconds(() => {
    const { status, stderr } = spawnSync(program, args, {
      ...as,
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr.trim()}`);
  });
}
