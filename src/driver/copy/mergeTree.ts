import type { Stats } from 'node:fs';
import { chmod, lchown, lstat, readdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../host/index.ts';

/**
 * Moves everything in one directory into another on the same file system, and removes the former. Directories are
 * merged; anything else replaces what stands in its place. No symbolic link is followed, on either side, below the
 * target itself. With `owners`, directories that stand already get the moved ones' owners.
 */
export async function mergeTree(source: string, target: string, owners: boolean): Promise<void> {
  const here = await lstat(source);
  makeDirectory(target);
  for (const name of await readdir(source, { encoding: 'buffer' })) {
    await mergeEntry(child(source, name), child(target, name), owners);
  }
  await rm(source, { recursive: true, force: true });
  await dress(target, here, owners);
}

async function mergeEntry(source: Buffer, target: Buffer, owners: boolean): Promise<void> {
  const there = await lstat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  const here = await lstat(source);
  if (there?.isDirectory() && here.isDirectory()) {
    // Their owner may have to change what stands in them; in the end the target has the mode of what came.
    for (const [directory, { mode }] of [
      [source, here],
      [target, there],
    ] as const)
      if ((mode & 0o700) !== 0o700) await chmod(directory, mode | 0o700);
    for (const name of await readdir(source, { encoding: 'buffer' }))
      await mergeEntry(child(source, name), child(target, name), owners);
    await dress(target, here, owners);
    return;
  }
  if (there !== null && (there.isDirectory() || here.isDirectory())) await rm(target, { recursive: true });
  await move(source, target, here);
}

/** A directory that its owner may not write cannot be moved: the way up is one of its entries. */
async function move(source: Buffer, target: Buffer, here: Stats): Promise<void> {
  const locked = here.isDirectory() && (here.mode & 0o200) === 0;
  if (locked) await chmod(source, here.mode | 0o200);
  await rename(source, target);
  if (locked) await chmod(target, here.mode & 0o7777);
}

/** Gives a directory another one's owner, mode and times. */
async function dress(target: string | Buffer, like: Stats, owners: boolean): Promise<void> {
  if (owners) await lchown(target, like.uid, like.gid);
  await chmod(target, like.mode & 0o7777);
  await utimes(target, like.atime, like.mtime);
}

/** Names are bytes: not every one is valid UTF-8. */
function child(directory: string | Buffer, name: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(typeof directory === 'string' ? join(directory, '/') : directory),
    ...(typeof directory === 'string' ? [] : [Buffer.from('/')]),
    name,
  ]);
}
