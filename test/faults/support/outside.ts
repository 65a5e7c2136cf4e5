import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { processesWith } from '../../contract/support/marks.ts';

/** Lists control groups of version 2, and of systemd's version 1, by a part of their name, wherever they are mounted. */
const GROUPS = `mount -n -t cgroup2 cgroup2 /mnt 2>/dev/null && find /mnt -type d -name "*$1*"
grep -q '^[0-9]*:name=systemd:' /proc/self/cgroup || exit 0
mount -n -t cgroup -o none,name=systemd cgroup /mnt 2>/dev/null && find /mnt -type d -name "*$1*"`;

/**
 * What somebody sees of a run who looks from outside and knows only its id: processes that name it, mounts, control
 * groups, sessions of schroot(1), and files in directories where it worked.
 */
export function remainsOf(run: string, directories: readonly string[] = []): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const ask = (program: string, ...args: string[]) =>
    (spawnSync(program, args, { encoding: 'utf8', timeout: 20_000 }).stdout ?? '').split('\n');
  const files = directories.flatMap((directory) =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((file) => `${directory}/${file}`),
  );
  return [
    ...processesWith(run).map((pid) => `process ${pid}`),
    ...mounts,
    ...ask('unshare', '--mount', '--propagation', 'private', 'sh', '-c', GROUPS, 'sh', run),
    ...ask('schroot', '--list', '--all-sessions'),
    ...files,
  ].filter((line) => line.includes(run) || line.startsWith('process '));
}
