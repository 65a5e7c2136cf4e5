import { readFileSync } from 'node:fs';
import { hasUsualScripts } from './scripts.ts';

/** A mount as /proc/self/mountinfo (proc(5)) shows it. */
export interface Mount {
  readonly point: string;
  /** Whether what happens below it happens elsewhere too. */
  readonly shared: boolean;
}

/** Reads /proc/self/mountinfo. */
export function readMounts(): Mount[] {
  return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** The mounts in a mountinfo file, in its order. Pure. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [front = ''] = line.split(' - ');
    const [, , , , point, , ...tags] = front.split(' ');
    if (point === undefined) return [];
    return [
      { point: point.replaceAll(/\\([0-7]{3})/g, character), shared: tags.some((tag) => tag.startsWith('shared:')) },
    ];
  });
}

/** Where a session is mounted; null where that cannot be told by its id alone. Pure. */
export function mountedAt(id: string, mounts: readonly Mount[]): string | null {
  const found = new Set(mounts.map(({ point }) => point).filter((point) => point.endsWith(`/schroot/mount/${id}`)));
  const [only] = found;
  return only === undefined || found.size > 1 ? null : only;
}

/**
 * What is mounted below a session's root, in the order in which it can be unmounted; empty where that would be felt
 * elsewhere. Pure.
 */
export function mountsBelow(root: string, mounts: readonly Mount[]): string[] {
  const inside = mounts.filter(({ point }) => point === root || point.startsWith(`${root}/`));
  if (inside.some(({ shared }) => shared)) return [];
  return inside
    .filter(({ point }) => point !== root)
    .map(({ point }) => point)
    .reverse();
}

/**
 * What may be unmounted all at once that schroot(1) would unmount one by one, with processes for each: nothing where its
 * scripts are not only the usual ones, which need none of it any more.
 */
export function unmountable(root: string): string[] {
  return hasUsualScripts() ? mountsBelow(root, readMounts()) : [];
}

function character(_match: string, octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}
