import { chmod, lstat, mkdir, readdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Moves everything in one directory into another on the same file system. Directories are merged; anything else
 * replaces what stands in its place. No symbolic link is followed, on either side, below the target itself.
 */
export async function mergeTree(source: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const name of await readdir(source, { encoding: 'buffer' })) {
    await mergeEntry(child(source, name), child(target, name));
  }
  const { mode, atime, mtime } = await lstat(source);
  await chmod(target, mode & 0o7777);
  await utimes(target, atime, mtime);
}

async function mergeEntry(source: Buffer, target: Buffer): Promise<void> {
  const there = await lstat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  const here = await lstat(source);
  if (there?.isDirectory() && here.isDirectory()) {
    for (const name of await readdir(source, { encoding: 'buffer' }))
      await mergeEntry(child(source, name), child(target, name));
    await chmod(target, here.mode & 0o7777);
    await utimes(target, here.atime, here.mtime);
    return;
  }
  if (there !== null && (there.isDirectory() || here.isDirectory())) await rm(target, { recursive: true });
  await rename(source, target);
}

/** Names are bytes: not every one is valid UTF-8. */
function child(directory: string | Buffer, name: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(typeof directory === 'string' ? join(directory, '/') : directory),
    ...(typeof directory === 'string' ? [] : [Buffer.from('/')]),
    name,
  ]);
}
