import type { ProviderKind } from './providers.ts';

/** How, with further options, and what is said. */
export interface Refused {
  readonly code: string;
  /** A part of the remedy, as a regular expression. */
  readonly says: string;
  readonly options?: readonly string[];
}

/** What an ordinary user is told, who has no subordinate ids and is in no group of a daemon's. podman takes anybody. */
const REFUSED: Readonly<Partial<Record<ProviderKind['name'], readonly Refused[]>>> = {
  chroot: [
    { code: 'no-permission', says: 'run trundle as root, or use the unshare backend' },
    {
      code: 'no-permission',
      says: 'run trundle itself by it: sudo -E trundle ..., or use the unshare backend',
      options: ['-r', 'sudo -E'],
    },
  ],
  unshare: [{ code: 'no-permission', says: '--map=auto, or run trundle as root', options: ['--map=root'] }],
  nspawn: [{ code: 'no-permission', says: 'run trundle as root, or use the unshare backend' }],
  lxc: [{ code: 'no-permission', says: 'run trundle as root, or use the unshare backend' }],
  schroot: [{ code: 'no-permission', says: 'add yourself to users=' }],
  docker: [{ code: 'no-permission', says: 'adduser "\\$USER" docker' }],
  lxd: [{ code: 'no-permission', says: 'adduser "\\$USER" lxd' }],
  incus: [{ code: 'no-permission', says: 'adduser "\\$USER" incus-admin' }],
};

/** In which ways a backend refuses that user; in none where it takes anybody, or is no provider's. */
export function refusalsOf(name: string): readonly Refused[] {
  return REFUSED[name as ProviderKind['name']] ?? [];
}

/** The words on the command line that are refused so. */
export function refusedWords(name: string, image: string, { options = [] }: Refused): string[] {
  return [name, ...options, ...(name === 'unshare' ? ['--tarball', image] : [image])];
}

/** What stderr must have then. */
export function refusedText({ code, says }: Refused): RegExp {
  return new RegExp(`: ${code}: .*\\(to mend it: .*${says}`);
}
