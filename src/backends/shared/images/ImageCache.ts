import { existsSync } from 'node:fs';
import { readdir, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../../host/index.ts';
import { BackendError } from '../../contract.ts';
import { holdDirectory, makeEnterable } from '../directories.ts';
import { dyingWithUs, failureOfProgram, runProgram } from '../runProgram.ts';
import { digestOf } from './digest.ts';
import { discard, isWhole, type ProvideOptions } from './entry.ts';
import { evict } from './evict.ts';
import { FileLock } from './FileLock.ts';

/** Bytes that all unpacked images, and the tarballs made here, may take together, if nothing else is said. */
export const CACHE_LIMIT = 20 * 1024 ** 3;

/** What programs may do without setuid bits, as ping(8). Where it cannot be kept, tar(1) only warns. */
const CAPABILITIES = ['--xattrs', '--xattrs-include=security.capability'];

/** Devices cannot be made by everybody, and a testbed has a /dev of its own. */
const NO_DEVICES = ['--exclude=./dev/*', '--exclude=dev/*'];

/** An unpacked image, good for as long as `lock` is locked. */
export interface CachedImage {
  /** Its root directory. Never write there. */
  readonly root: string;
  /** Lock this file (flock(2), shared) for as long as the image is used. */
  readonly lock: string;
}

/**
 * Unpacked images, found by the digest of their tarball. Several runs may use it at once: an image is unpacked under a
 * lock, appears under its name when it is whole, and is not thrown away while it is used.
 */
export class ImageCache {
  readonly #directory: string;
  readonly #limit: number;

  constructor(directory: string, limit: number = CACHE_LIMIT) {
    this.#directory = directory;
    this.#limit = limit;
  }

  /**
   * The unpacked image of a tarball, unpacked now if it was not before.
   * @throws BackendError `image-missing`, `image-damaged`, `ENOSPC`, or where there can be no cache
   */
  async provide(tarball: string, options: ProvideOptions): Promise<CachedImage> {
    try {
      return await this.#provide(tarball, options);
    } catch (error) {
      throw explained(error, this.#directory);
    }
  }

  async #provide(tarball: string, options: ProvideOptions): Promise<CachedImage> {
    const { signal, ownership } = options;
    const images = join(this.#directory, 'images');
    makeDirectory(images);
    const digest = await digestOf(tarball, join(this.#directory, 'digests'), signal);
    const name = `${digest.slice(0, 40)}-${ownership.name}`;
    const entry = join(images, name);
    const image = { root: join(entry, 'root'), lock: join(images, `${name}.lock`) };
    if (!(await isWhole(entry))) {
      await writeFile(image.lock, '', { flag: 'a' });
      const lock = await FileLock.take(image.lock, signal);
      try {
        if (!(await isWhole(entry))) await this.#unpack(tarball, entry, options);
      } finally {
        await lock.free();
      }
      await evict(this.#directory, this.#limit, entry, options);
    }
    const now = new Date();
    await utimes(join(entry, 'size'), now, now).catch(() => {});
    return image;
  }

  async #unpack(tarball: string, entry: string, options: ProvideOptions): Promise<void> {
    const { host, signal, ownership } = options;
    const { prefix, owners } = ownership;
    // Somebody outside has removed a part of it: nobody could use it, and it would be in the way.
    if (existsSync(entry)) await discard(entry, options);
    const path = `${entry}.${host.run}-${host.testbed}`;
    const held = await holdDirectory(host, path, prefix);
    try {
      const root = join(path, 'root');
      await makeEnterable(root);
      const own = owners ? ['--numeric-owner'] : ['--no-same-owner'];
      const tar = ['tar', '--extract', '--file', tarball, '--directory', root, '--preserve-permissions', ...own];
      const argv = [...prefix, ...dyingWithUs([...tar, ...CAPABILITIES, ...NO_DEVICES])];
      const result = await runProgram(argv, { signal });
      if (result.status !== 0)
        throw (
          ownership.refusal(result.stderr) ??
          failureOfProgram(argv[0] ?? '', result, {
            code: 'image-damaged',
            doing: `unpacking ${tarball}`,
            remedy: `tar -tf ${tarball} shows where it is damaged; make or fetch it anew`,
          })
        );
      if (await isEmpty(root))
        throw new BackendError('image-damaged', `${tarball} holds no files; it may be the image of a disk`, {
          remedy: 'name a tarball or a directory: mount -o loop makes one of the image of a file system',
        });
      const du = await runProgram([...prefix, 'du', '--summarize', '--block-size=1', root], { signal });
      await writeFile(join(path, 'size'), String(Number.parseInt(du.stdout, 10) || 0));
      await rename(path, entry);
    } finally {
      // After the rename it has nothing to remove, and strikes the resource out.
      await held.remove(AbortSignal.timeout(60_000));
    }
  }
}

/** tar(1) takes the zeros at the beginning of a disk's image for the end of an archive. What cannot be read has files. */
async function isEmpty(directory: string): Promise<boolean> {
  return await readdir(directory).then(
    (names) => names.length === 0,
    () => false,
  );
}

/** The error with what to do about it, where a directory of the cache cannot be made or written to. */
function explained(error: unknown, directory: string): unknown {
  const { code, path, message } = error as NodeJS.ErrnoException;
  // What could not be made may be above it.
  const ours = path !== undefined && (path.startsWith(directory) || directory.startsWith(path));
  if (error instanceof BackendError || code === undefined || !ours) return error;
  return new BackendError(code, `images cannot be unpacked into ${directory}: ${message}`, {
    remedy: 'set XDG_CACHE_HOME to a directory that can be written to',
    cause: error,
  });
}
