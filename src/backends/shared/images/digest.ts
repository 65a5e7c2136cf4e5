import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../../host/index.ts';
import { BackendError } from '../../contract.ts';

/** Notes made by this process, so that no two at once have the same name. */
let made = 0;

/**
 * The SHA256 digest of a file. It is remembered under the file's identity (device, inode, size, times), so that the
 * second start with the same tarball need not read it.
 * @param memory directory of what is remembered
 * @throws BackendError `image-missing`, `image-unreadable`
 */
export async function digestOf(file: string, memory: string, signal: AbortSignal): Promise<string> {
  const identity = await identityOf(file);
  const note = join(memory, createHash('sha256').update(identity).digest('hex'));
  const known = await readFile(note, 'utf8').catch(() => '');
  if (/^[0-9a-f]{64}$/.test(known)) return known;
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file, { signal, highWaterMark: 1024 * 1024 }))
      hash.update(chunk as Buffer);
  } catch (error) {
    throw signal.aborted ? signal.reason : unreadable(file, error);
  }
  const digest = hash.digest('hex');
  // Whoever changed it while it was read shall not have the wrong digest remembered.
  if ((await identityOf(file)) !== identity)
    throw new BackendError('image-changed', `${file} was changed while it was read`, { remedy: 'run again' });
  makeDirectory(memory);
  made += 1;
  const fresh = `${note}.${process.pid}.${made}`;
  await writeFile(fresh, digest);
  await rename(fresh, note);
  return digest;
}

async function identityOf(file: string): Promise<string> {
  try {
    const path = await realpath(file);
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [path, dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): BackendError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new BackendError('image-missing', `there is no image ${file}`, { remedy: `mmdebstrap stable ${file}` });
  return new BackendError('image-unreadable', `the image ${file} cannot be read: ${message}`, { cause: error });
}
