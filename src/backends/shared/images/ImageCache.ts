import { readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../../host/index.ts';
import type { BackendHost } from '../../contract.ts';
import { holdDirectory, makeEnterable, removeTree } from '../directories.ts';
import { dyingWithUs, mustRun, runProgram } from '../runProgram.ts';
import { digestOf } from './digest.ts';
import { FileLock } from './FileLock.ts';

/** Bytes that all unpacked images together may take, if nothing else is said. */
export const CACHE_LIMIT = 20 * 1024 ** 3;

/** Whose files an unpacked image holds: the same tarball is unpacked once for each. */
export interface Ownership {
  /** Part of the entry's name. */
  readonly name: string;
  /** Prefix of the commands that make and remove the files. */
  readonly prefix: readonly string[];
  /** Whether the owners in the tarball can be kept. */
  readonly owners: boolean;
}

/** An unpacked image, good for as long as `lock` is locked. */
export interface CachedImage {
  /** Its root directory. Never write there. */
  readonly root: string;
  /** Lock this file (flock(2), shared) for as long as the image is used. */
  readonly lock: string;
}

/** What the cache is asked with. */
export interface ProvideOptions {
  readonly host: BackendHost;
  readonly signal: AbortSignal;
  readonly ownership: Ownership;
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
   * @throws BackendError `image-missing`, `image-damaged`, `ENOSPC`
   */
  async provide(tarball: string, options: ProvideOptions): Promise<CachedImage> {
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
      await this.#evict(name, options);
    }
    const now = new Date();
    await utimes(join(entry, 'size'), now, now).catch(() => {});
    return image;
  }

  async #unpack(tarball: string, entry: string, { host, signal, ownership }: ProvideOptions): Promise<void> {
    const { prefix, owners } = ownership;
    const path = `${entry}.${host.run}-${host.testbed}`;
    const held = await holdDirectory(host, path, removeTree(path, prefix));
    try {
      const root = join(path, 'root');
      await makeEnterable(root);
      const own = owners ? ['--numeric-owner'] : ['--no-same-owner'];
      // Devices cannot be made by everybody, and a testbed has a /dev of its own.
      const tar = ['tar', '--extract', '--file', tarball, '--directory', root, '--preserve-permissions', ...own];
      await mustRun([...prefix, ...dyingWithUs([...tar, '--exclude=./dev/*', '--exclude=dev/*'])], {
        signal,
        code: 'image-damaged',
        doing: `unpacking ${tarball}`,
        remedy: `tar -tf ${tarball} shows where it is damaged; make or fetch it anew`,
      });
      const du = await runProgram([...prefix, 'du', '--summarize', '--block-size=1', root], { signal });
      await writeFile(join(path, 'size'), String(Number.parseInt(du.stdout, 10) || 0));
      await rename(path, entry);
    } finally {
      // After the rename it has nothing to remove, and strikes the resource out.
      await held.remove(AbortSignal.timeout(60_000));
    }
  }

  /** Throws away the images that were used longest ago, until the rest fits; those in use stay. */
  async #evict(keep: string, { host, signal, ownership }: ProvideOptions): Promise<void> {
    const images = join(this.#directory, 'images');
    const entries = await Promise.all(
      (await readdir(images))
        .filter((name) => /^[0-9a-f]{40}-\w+$/.test(name))
        .map(async (name) => {
          const file = join(images, name, 'size');
          const used = await stat(file).then(
            (stats) => stats.mtimeMs,
            () => 0,
          );
          return { name, used, size: Number(await readFile(file, 'utf8').catch(() => '0')) };
        }),
    );
    let total = entries.reduce((sum, { size }) => sum + size, 0);
    for (const { name, size } of entries.toSorted((one, other) => one.used - other.used)) {
      if (total <= this.#limit) return;
      if (name === keep || !name.endsWith(`-${ownership.name}`)) continue;
      const lock = await FileLock.tryTake(join(images, `${name}.lock`), signal);
      if (lock === null) continue;
      try {
        // Others throw away too, and may have been faster.
        if (!(await isWhole(join(images, name)))) {
          total -= size;
          continue;
        }
        const doomed = join(images, `${name}.${host.run}-${host.testbed}`);
        const removal = removeTree(doomed, ownership.prefix);
        const struck = host.acquire({ kind: 'directory', name: doomed, release: removal });
        await rename(join(images, name), doomed);
        await mustRun(removal, { signal, code: 'left-behind', doing: `removing ${doomed}` });
        struck();
        total -= size;
        host.log('image evicted', { name, size });
      } finally {
        await lock.free();
      }
    }
  }
}

function isWhole(entry: string): Promise<boolean> {
  return stat(join(entry, 'size')).then(
    () => true,
    () => false,
  );
}
