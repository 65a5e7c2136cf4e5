import { readFileSync } from 'node:fs';

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

/**
 * What is mounted at or below these places in a root, as paths in it: of a stack of mounts each one, of a tree only its
 * top. Pure.
 */
export function mountedUnder(root: string, places: readonly string[], mounts: readonly Mount[]): string[] {
  const prefix = root === '/' ? '' : root;
  const isBelow = (path: string, place: string) => path.startsWith(`${place}/`);
  const found = mounts
    .filter(({ point }) => isBelow(point, prefix))
    .map(({ point }) => point.slice(prefix.length))
    .filter((path) => places.some((place) => path === place || isBelow(path, place)));
  return found.filter((path) => !found.some((other) => isBelow(path, other)));
}

function character(_match: string, octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}
