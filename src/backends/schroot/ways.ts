import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Enter } from '../shared/enter.ts';
import { readMounts } from '../shared/mounts.ts';
import { mustRun } from '../shared/runProgram.ts';
import type { ChrootConfig } from './chroots.ts';
import { mountedAt } from './mounts.ts';

/**
 * Runs a program in the pid namespace of the init. /proc is that namespace's, so its process 1 is the init and can be
 * no other; once the init is gone, there is no such file.
 */
const IN_NAMESPACE = ['nsenter', '--pid=/proc/1/ns/pid', '--'];

/** A way into a session, until it is closed. */
export interface Way {
  readonly enter: Enter;
  /** Must come before the end of the session: it keeps it busy. */
  close(): void;
}

/** The way that schroot(1) itself gives. Pure. */
export function wayOfSchroot(id: string, root: boolean, hasInit: boolean): Way {
  const user = root ? ['--user', 'root'] : [];
  const run = ['schroot', '--quiet', '--run-session', '--chroot', `session:${id}`, '--directory', '/', ...user, '--'];
  const argv = [...run, ...(hasInit ? IN_NAMESPACE : [])];
  return { enter: { argv, environment: 'dropped' }, close: () => {} };
}

/**
 * Whether root may go in without schroot(1), which takes less time and tells signals: not where it is configured to
 * change more than the root directory. Pure.
 */
export function mayGoAlone(config: ChrootConfig): boolean {
  const personality = config.get('personality') ?? '';
  return (personality === '' || personality === 'undefined') && (config.get('command-prefix') ?? '') === '';
}

/** Where the root directory of a session is. @throws BackendError `setup-failed` */
export async function locationOf(id: string, config: ChrootConfig, signal: AbortSignal): Promise<string> {
  const mounted = (config.get('location') ?? '') === '' ? mountedAt(id, readMounts()) : null;
  if (mounted !== null) return mounted;
  const argv = ['schroot', '--location', '--chroot', `session:${id}`];
  const doing = `finding where the session ${id} is mounted`;
  return (await mustRun(argv, { signal, code: 'setup-failed', doing })).trim();
}

/** Root's own way, by open descriptors, so that no other session and no other process can be meant. */
export function wayOfRoot(location: string, hasInit: boolean): Way {
  const descriptors: number[] = [];
  const keep = (path: string) => {
    const descriptor = openSync(path, 'r');
    descriptors.push(descriptor);
    return `/proc/${process.pid}/fd/${descriptor}`;
  };
  const close = () => {
    for (const descriptor of descriptors.splice(0)) closeSync(descriptor);
  };
  try {
    const root = keep(location);
    const namespaces = hasInit ? [keep(join(location, 'proc/1/ns/pid'))] : [];
    const prefix = ['nsenter', ...namespaces.map((path) => `--pid=${path}`), `--root=${root}`, `--wd=${root}`];
    const as = ({ uid, gid }: { uid: number; gid: number }) => [
      ...prefix,
      '--setuid',
      String(uid),
      '--setgid',
      String(gid),
      '--',
    ];
    const place = { namespaces, root };
    return { enter: { argv: [...prefix, '--'], environment: 'passed', place, as }, close };
  } catch (error) {
    close();
    throw error;
  }
}
