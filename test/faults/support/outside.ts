import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { processesWith } from '../../contract/support/marks.ts';

/** Lists control groups of version 2, and of systemd's version 1, wherever they are mounted. */
const GROUPS = `mount -n -t cgroup2 cgroup2 /mnt 2>/dev/null && find /mnt -type d
grep -q '^[0-9]*:name=systemd:' /proc/self/cgroup || exit 0
mount -n -t cgroup -o none,name=systemd cgroup /mnt 2>/dev/null && find /mnt -type d`;

/** Where schroot(1) keeps what it knows of its sessions, and their files. */
const SCHROOT = '/var/lib/schroot';

/**
 * What somebody sees of a run who looks from outside and knows only its id: processes that name it, mounts, control
 * groups, sessions of schroot(1) with their files, and files in directories where it worked. Of several runs at once it
 * is asked as often as of one.
 */
export function remainsOf(runs: string | readonly string[], directories: readonly string[] = []): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const ask = (program: string, ...args: string[]) =>
    (spawnSync(program, args, { encoding: 'utf8', timeout: 20_000 }).stdout ?? '').split('\n');
  const known = typeof runs === 'string' ? [runs] : runs;
  const files = directories.flatMap((directory) =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((file) => `${directory}/${file}`),
  );
  return [
    ...known.flatMap(processesWith).map((pid) => `process ${pid}`),
    ...mounts,
    ...ask('unshare', '--mount', '--propagation', 'private', 'sh', '-c', GROUPS),
    ...ask('schroot', '--list', '--all-sessions'),
    ...schrootFiles(),
    ...files,
  ].filter((line) => known.some((run) => line.includes(run)) || line.startsWith('process '));
}

function schrootFiles(): string[] {
  // A session's own tree may be large, and others come and go while we look: its name is enough.
  const places = ['session', 'mount', 'unpack', 'union/overlay', 'union/underlay'].map((name) => `${SCHROOT}/${name}`);
  return places
    .filter((place) => existsSync(place))
    .flatMap((place) => readdirSync(place).map((file) => `${place}/${file}`));
}
