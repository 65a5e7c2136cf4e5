import { existsSync } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { discard, isWhole, type ProvideOptions, removePart, tellLeft } from './entry.ts';
import { FileLock } from './FileLock.ts';

/** Something in the cache that may be thrown away by whoever gets its lock. */
interface Entry {
  readonly path: string;
  readonly lock: string;
  /** Milliseconds since 1970. */
  readonly used: number;
  readonly size: number;
  /** Half made, half removed, or damaged: good for nobody. */
  readonly half: boolean;
  /** Throws it away, with its lock only, and says whether that could be done; null where this user cannot. */
  readonly drop: (() => Promise<boolean>) | null;
}

/** What the name of an image says: its lock's, its ownership, and whether it is but a part of one. */
const IMAGE = /^([0-9a-f]{40}-(\w+))(\..+)?$/;
/** The same for a tarball that was made here. */
const TARBALL = /^(.+-[0-9a-f]{16}\.tar)(\..+)?$/;

/**
 * Throws out of a cache what killed runs left half done, and then the images and the tarballs made here that were used
 * longest ago, until the rest fits. What somebody has locked stays. What cannot be removed is told, and stays too: the
 * image that was asked for is none the worse.
 * @param keep the image that stays however old it is
 */
export async function evict(cache: string, limit: number, keep: string, options: ProvideOptions): Promise<void> {
  const entries = [
    ...(await imagesIn(join(cache, 'images'), options)),
    ...(await tarballsIn(join(cache, 'bootstrap'))),
  ];
  for (const entry of entries) if (entry.half) await throwAway(entry, options);
  const whole = entries.filter(({ half }) => !half);
  let total = whole.reduce((sum, { size }) => sum + size, 0);
  for (const entry of whole.toSorted((one, other) => one.used - other.used)) {
    if (total <= limit) return;
    if (entry.path === keep) continue;
    if (await throwAway(entry, options)) total -= entry.size;
  }
}

/** Whether it is gone. */
async function throwAway({ path, lock: file, half, drop }: Entry, { host, signal }: ProvideOptions): Promise<boolean> {
  if (drop === null) return false;
  try {
    const lock = await FileLock.tryTake(file, signal);
    if (lock === null) return false;
    try {
      const gone = await drop();
      if (gone) host.log(half ? 'half an image removed' : 'image evicted', { path });
      return gone;
    } finally {
      await lock.free();
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    tellLeft(host, (error as Error).message);
    return false;
  }
}

async function imagesIn(directory: string, options: ProvideOptions): Promise<Entry[]> {
  const entries = (await namesIn(directory)).map(async (name): Promise<Entry[]> => {
    const [, image = '', owner = '', part] = IMAGE.exec(name) ?? [];
    const path = join(directory, name);
    // Others throw away at the same time.
    if (image === '' || !existsSync(path)) return [];
    const half = part !== undefined || !(await isWhole(path));
    const file = join(path, 'size');
    const used = half ? 0 : await timeOf(file);
    const size = half ? 0 : Number(await readFile(file, 'utf8').catch(() => '0'));
    const drop = async () => {
      if (part !== undefined) return await removePart(path, options);
      const unchanged = (await isWhole(path)) !== half && existsSync(path);
      if (unchanged) return await discard(path, options);
      // Others throw away and unpack too, and were faster: what was whole is gone, what was half may be whole now.
      const gone = !half;
      return gone;
    };
    // The files of another map may be those of ids that only that map has: they count, and stay.
    const may = options.ownership.removes.includes(owner);
    return [{ path, lock: join(directory, `${image}.lock`), used, size, half, drop: may ? drop : null }];
  });
  return (await Promise.all(entries)).flat();
}

async function tarballsIn(directory: string): Promise<Entry[]> {
  const entries = (await namesIn(directory)).map(async (name): Promise<Entry[]> => {
    const [, tarball = '', part] = TARBALL.exec(name) ?? [];
    if (tarball === '') return [];
    const path = join(directory, name);
    const lock = join(directory, `${tarball}.lock`);
    const size = await stat(path).then(
      (stats) => stats.size,
      () => 0,
    );
    const drop = async () => {
      await rm(path, { force: true });
      return true;
    };
    return [{ path, lock, used: await timeOf(lock), size, half: part !== undefined, drop }];
  });
  return (await Promise.all(entries)).flat();
}

/** What is in a directory, without locks. */
async function namesIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => !name.endsWith('.lock'));
}

function timeOf(file: string): Promise<number> {
  return stat(file).then(
    (stats) => stats.mtimeMs,
    () => 0,
  );
}
