import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackendHost } from '../contract.ts';
import { type Held, hold } from './held.ts';

/** Makes a directory and promises to remove it with all that is in it; `prefix` makes one root over its owners. */
export async function holdDirectory(host: BackendHost, path: string, prefix: readonly string[] = []): Promise<Held> {
  const removal = removeTree(path, prefix);
  // Where the prefix is refused, nobody has become somebody else, and all in it is ours.
  const otherwise = prefix.length === 0 ? null : removeTree(path);
  const remedy = `look who uses it (fuser -vm ${path}; findmnt -R ${path}), then ${removal.join(' ')}`;
  const held = hold(host, { kind: 'directory', path, what: path }, { removal, otherwise, remedy });
  await makeEnterable(path);
  return held;
}

/** Makes a directory that everybody of a testbed may enter, whatever umask(2) this process was started with. */
export async function makeEnterable(path: string): Promise<void> {
  await mkdir(path);
  await chmod(path, 0o755);
}

/** Makes what an overlay needs below a directory: the layer above, whose mode the testbed's root has, and two more. */
export async function makeLayer(directory: string): Promise<void> {
  for (const name of ['upper', 'work', 'root']) await makeEnterable(join(directory, name));
}

/**
 * The command that removes a tree; `prefix` makes one root over the tree's owners. What the owner may not read (the
 * work directory of an overlay is such a one) is made readable first. Pure.
 */
export function removeTree(path: string, prefix: readonly string[] = []): string[] {
  const script = 'chmod -R u+rwX -- "$1" 2>/dev/null; exec rm -rf --one-file-system -- "$1"';
  return [...prefix, 'sh', '-c', script, 'sh', path];
}
