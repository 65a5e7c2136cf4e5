import { accessSync, constants } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Availability } from '../contract.ts';

/** The Debian package of each program that a backend may run, where its name is another. */
const PACKAGES: Readonly<Record<string, string>> = {
  unshare: 'util-linux',
  nsenter: 'util-linux',
  flock: 'util-linux',
  setpriv: 'util-linux',
  mount: 'mount',
  chroot: 'coreutils',
  newuidmap: 'uidmap',
  newgidmap: 'uidmap',
  ip: 'iproute2',
  tar: 'tar',
  cp: 'coreutils',
  du: 'coreutils',
  zstd: 'zstd',
  xz: 'xz-utils',
  mmdebstrap: 'mmdebstrap',
  sh: 'dash',
  'systemd-nspawn': 'systemd-container',
  docker: 'docker.io',
  dockerd: 'docker.io',
  lxc: 'lxd',
  incus: 'incus',
  'lxc-start': 'lxc',
  'lxc-attach': 'lxc',
  'lxc-copy': 'lxc',
  'lxc-destroy': 'lxc',
  'lxc-config': 'lxc',
};

/** Where programs are looked for: the caller's own PATH, and where the administrator's programs live. */
export function searchPath(own: string = process.env.PATH ?? ''): string {
  return [...new Set([...own.split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'])]
    .filter((directory) => directory !== '')
    .join(':');
}

/** Absolute path of a program; null where this machine has none. */
export function findProgram(name: string): string | null {
  for (const directory of searchPath().split(':')) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here; the next directory may have it.
    }
  }
  return null;
}

/** A program that the user named: a path is that from here, for whoever starts it elsewhere, as a later reap does. */
export function namedProgram(name: string): string {
  return name.includes('/') ? resolve(name) : name;
}

/** The command that installs a program. Pure. */
export function installCommand(program: string): string {
  return `apt-get install ${PACKAGES[program] ?? program}`;
}

/** How shells, env(1) and setpriv(1) say that there is no such program. */
const NOT_FOUND =
  /(?:failed to execute |sh: (?:line )?\d+: (?:exec: )?|env: \W?)([\w-]+)\W?: (?:command )?(?:not found|No such file)/;

/** The program of this machine that a script of our own missed, as its stderr says; null where it was something else. Pure. */
export function missedProgram(stderr: string): string | null {
  const name = NOT_FOUND.exec(stderr)?.[1];
  return name !== undefined && name in PACKAGES ? name : null;
}

/** The answer of a backend's `probe()` for programs that it cannot do without; null where all are there. */
export function missingPrograms(names: readonly string[]): Availability | null {
  const missing = names.filter((name) => findProgram(name) === null);
  if (missing.length === 0) return null;
  const packages = [...new Set(missing.map((name) => PACKAGES[name] ?? name))];
  return {
    available: false,
    missing: `no ${missing.join(', no ')}`,
    remedy: `apt-get install ${packages.join(' ')}`,
  };
}
