import { type Mount, readMounts } from '../shared/mounts.ts';
import { hasUsualScripts } from './scripts.ts';

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
