import { mkdir } from 'node:fs/promises';
import type { BackendHost } from '../contract.ts';
import { mustRun } from './runProgram.ts';

/** A directory that was written to the trace before it was made. */
export interface HeldDirectory {
  readonly path: string;
  /** Removes it with all that is in it, and strikes it out of the trace. @throws BackendError `left-behind` */
  remove(signal: AbortSignal): Promise<void>;
}

/** Makes a directory and promises to remove it: the command `removal` does, now and in `trundle reap`. */
export async function holdDirectory(
  host: BackendHost,
  path: string,
  removal: readonly string[] = removeTree(path),
): Promise<HeldDirectory> {
  const struck = host.acquire({ kind: 'directory', name: path, release: [...removal] });
  await mkdir(path, { mode: 0o755 });
  let gone = false;
  return {
    path,
    async remove(signal) {
      if (gone) return;
      await mustRun(removal, {
        signal,
        code: 'left-behind',
        doing: `removing ${path}`,
        remedy: `look who uses it (fuser -vm ${path}; findmnt -R ${path}), then ${removal.join(' ')}`,
      });
      gone = true;
      struck();
    },
  };
}

/**
 * The command that removes a tree; `prefix` makes one root over the tree's owners. What the owner may not read (the
 * work directory of an overlay is such a one) is made readable first. Pure.
 */
export function removeTree(path: string, prefix: readonly string[] = []): string[] {
  const script = 'chmod -R u+rwX -- "$1" 2>/dev/null; exec rm -rf --one-file-system -- "$1"';
  return [...prefix, 'sh', '-c', script, 'sh', path];
}
