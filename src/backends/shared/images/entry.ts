import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BackendError, type BackendHost } from '../../contract.ts';
import { removeTree } from '../directories.ts';
import { lastLine, runProgram } from '../runProgram.ts';

/** Whose files an unpacked image holds: the same tarball is unpacked once for each. */
export interface Ownership {
  /** Part of the entry's name. */
  readonly name: string;
  /** Prefix of the commands that make and remove the files. */
  readonly prefix: readonly string[];
  /** Whether the owners in the tarball can be kept. */
  readonly owners: boolean;
  /** Why its files could not be made, from what a program said; null where that is not for the ownership. */
  readonly refusal: (stderr: string) => BackendError | null;
  /** Names of the ownerships whose files can be removed under that prefix; its own is one of them. */
  readonly removes: readonly string[];
}

/** What the cache is asked with. */
export interface ProvideOptions {
  readonly host: BackendHost;
  readonly signal: AbortSignal;
  readonly ownership: Ownership;
}

/** Whether an image is there as it was unpacked, as far as a look can tell. */
export async function isWhole(entry: string): Promise<boolean> {
  const [size, root] = await Promise.all(['size', 'root'].map((name) => stat(join(entry, name)).catch(() => null)));
  return size?.isFile() === true && root?.isDirectory() === true;
}

/**
 * Takes an unpacked image out of the cache, and removes it; whether that could be done to the end. Call it with its lock
 * only.
 * @throws BackendError `left-behind` where it is still in the way
 */
export async function discard(entry: string, options: ProvideOptions): Promise<boolean> {
  const { host, ownership } = options;
  const doomed = `${entry}.${host.run}-${host.testbed}-old`;
  const removal = removeTree(doomed, ownership.prefix);
  const struck = host.acquire({ kind: 'directory', name: doomed, release: removal });
  try {
    await rename(entry, doomed);
  } catch (error) {
    struck();
    throw new BackendError('left-behind', `${entry} cannot be moved out of the cache: ${(error as Error).message}`, {
      remedy: `see lsattr -d ${entry}, then ${removeTree(entry, ownership.prefix).join(' ')}`,
      cause: error,
    });
  }
  const gone = await removePart(doomed, options);
  // Else `trundle reap` tries it again, and so does whoever throws something away next.
  if (gone) struck();
  return gone;
}

/** Removes what is in the cache under no name of an image's. Where it cannot, that is told, and none the worse. */
export async function removePart(path: string, { host, signal, ownership }: ProvideOptions): Promise<boolean> {
  const removal = removeTree(path, ownership.prefix);
  const { status, stderr } = await runProgram(removal, { signal });
  if (status !== 0) tellLeft(host, `${path} cannot be removed: ${lastLine(stderr)}`);
  return status === 0;
}

/** Tells of what stays in the cache although it should not; the run goes on. */
export function tellLeft(host: BackendHost, what: string): void {
  host.log('left in the cache', { what });
  host.console(Buffer.from(`trundle: ${what}; it stays in the cache, and takes room there\n`));
}
