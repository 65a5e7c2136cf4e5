import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imageDirectory } from './images.ts';
import { findProgram } from './needs.ts';

/** A program that runs containers, made to work on this machine, with a storage of its own. */
export interface ContainerProgram {
  /** What to give --program. */
  readonly program: string;
  /** Runs it; gives its stdout. */
  run(...args: string[]): string;
  /** The name of an image made from a tarball. It is made once, and kept as the tarball is. */
  image(tarball: string): string;
  /** Stops what runs for it. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A view of cgroup v2 for one command, where the machine has none: no package can switch that on, and an init needs
 * it. The mounts are seen by the command, and by what it starts, only.
 */
export const CGROUP2_VIEW = `if [ ! -e /sys/fs/cgroup/cgroup.controllers ] && [ "$(id -u)" = 0 ]; then
  exec unshare --mount --propagation private sh -c 'umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; exec "$@"' sh "$@"
fi
exec "$@"`;

/** Settings without which root's podman wants what a machine may refuse: limits above the hard ones, crun on cgroup v1. */
function containersConf(): string {
  const limits = ['nofile', 'nproc'].map((name) => `"${name}=${hardLimit(name)}:${hardLimit(name)}"`);
  const runtime = findProgram('runc') === null ? [] : ['runtime = "runc"'];
  return [
    '[containers]',
    `default_ulimits = [${limits.join(', ')}]`,
    'pids_limit = 0',
    '[engine]',
    ...runtime,
    'cgroup_manager = "cgroupfs"',
    'events_logger = "file"',
    '',
  ].join('\n');
}

function hardLimit(name: string): number {
  const row = name === 'nofile' ? 'Max open files' : 'Max processes';
  const line = readFileSync('/proc/self/limits', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(row));
  const [, hard = ''] = line?.slice(row.length).trim().split(/\s+/) ?? [];
  return Math.min(Number.parseInt(hard, 10) || 20_000, 20_000);
}

/** Root's podman, with images beside the tarballs that they are made from. */
export function rootPodman(): ContainerProgram {
  const directory = mkdtempSync(join(tmpdir(), 'trundle-podman-'));
  writeFileSync(join(directory, 'containers.conf'), containersConf());
  const storage = join(imageDirectory(), 'podman');
  mkdirSync(storage, { recursive: true });
  const words = `podman --root ${storage} --runroot /run/trundle-test-podman --log-level error`;
  const script = `export CONTAINERS_CONF=${directory}/containers.conf\nset -- ${words} "$@"\n${CGROUP2_VIEW}`;
  const program = scriptAt(join(directory, 'podman'), script);
  return {
    ...programOf(program, join(imageDirectory(), 'podman.lock')),
    [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Writes a shell script that can be run. Returns its path. */
export function scriptAt(path: string, text: string): string {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A program by its path; images are made under a lock. */
export function programOf(program: string, lock: string): Omit<ContainerProgram, typeof Symbol.asyncDispose> {
  return {
    program,
    run: (...args) => execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    image(tarball) {
      const { size, mtimeMs } = statSync(tarball);
      const name = createHash('sha256').update([tarball, size, mtimeMs].join(' ')).digest('hex').slice(0, 12);
      const image = `localhost/trundle-test:${name}`;
      // Whoever had the lock before may have made it.
      const make = '"$1" image inspect "$2" >/dev/null 2>&1 || "$1" import "$3" "$2"';
      const made = spawnSync('flock', [lock, 'sh', '-c', make, 'sh', program, image, tarball], { encoding: 'utf8' });
      if (made.status !== 0) throw new Error(`${program} import ${tarball} failed: ${made.stderr}`);
      return image;
    },
  };
}
