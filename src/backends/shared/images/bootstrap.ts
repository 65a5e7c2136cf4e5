import { createHash } from 'node:crypto';
import { rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../../host/index.ts';
import type { BackendHost } from '../../contract.ts';
import { BackendError } from '../../contract.ts';
import { holdDirectory } from '../directories.ts';
import { asOwner, type Identity } from '../namespaces/identity.ts';
import { childrenOf, isFirst, kill9 } from '../processes.ts';
import { dyingWithUs, failureOfProgram, ownEnvironment, runProgram } from '../runProgram.ts';
import { aptMirror } from './aptMirror.ts';
import { cacheDirectory } from './cacheDirectory.ts';
import { FileLock } from './FileLock.ts';

/** Milliseconds after which an image is made anew. */
const FRESH = 7 * 24 * 3600 * 1000;

/** Milliseconds for removing what mmdebstrap left. */
const REMOVAL = 30_000;

/**
 * All that mmdebstrap mounts and starts ends with it, however that ends: this machine has no mount of it. It sees this
 * machine's /proc, as it does in its own namespaces: that is where it looks for interpreters of other architectures.
 */
const IN_NAMESPACES = ['unshare', '--mount', '--propagation', 'slave', '--pid', '--fork', '--kill-child', '--'];

/** What to make an image of. */
export interface Recipe {
  readonly release: string;
  readonly arch: string | undefined;
  /** Packages besides the smallest set. */
  readonly include: readonly string[];
  /** Where from, as mmdebstrap(1) takes it; where this machine's apt takes the release from if empty. */
  readonly mirror: readonly string[];
}

/**
 * A tarball made by mmdebstrap(1), or one that was made in the last seven days from the same recipe. Two runs that want
 * the same one at once make it once.
 * @param use what is done with it: it stays in the cache until that is over
 * @throws BackendError `bootstrap-failed`, `program-missing`, `no-subuids`, `ENOSPC`
 */
export async function bootstrap<T>(
  recipe: Recipe,
  identity: Identity,
  { host, signal }: { host: BackendHost; signal: AbortSignal },
  use: (file: string) => Promise<T>,
): Promise<T> {
  if (identity === 'single') {
    throw new BackendError('no-subuids', 'mmdebstrap needs root or a range of subordinate ids', {
      remedy: 'get subordinate ids (see trundle backends), or give --tarball',
    });
  }
  const { release } = recipe;
  const mirror = recipe.mirror.length > 0 ? recipe.mirror : await aptMirror(release, signal);
  const directory = join(cacheDirectory(), 'bootstrap');
  makeDirectory(directory);
  const file = join(directory, nameOf({ ...recipe, mirror }));
  await writeFile(`${file}.lock`, '', { flag: 'a' });
  const lock = await FileLock.take(`${file}.lock`, signal);
  try {
    const made = await stat(file).then(
      (stats) => stats.mtimeMs,
      () => 0,
    );
    const now = new Date();
    if (now.getTime() - made >= FRESH) {
      host.console(Buffer.from(`trundle: mmdebstrap makes an image of ${release}; it is kept for seven days\n`));
      await make(file, { ...recipe, mirror }, identity, { host, signal });
    }
    // When it was used stands here: its own times say when it was made, and that it is the file whose digest is known.
    await utimes(`${file}.lock`, now, now);
    return await use(file);
  } finally {
    await lock.free();
  }
}

async function make(
  file: string,
  { release, arch, include, mirror }: Recipe,
  identity: Exclude<Identity, 'single'>,
  { host, signal }: { host: BackendHost; signal: AbortSignal },
): Promise<void> {
  // What it unpacks is in here, also where it is killed. Its users must be able to get in, whose ids are not ours.
  const place = `${host.workDirectory}-bootstrap`;
  const room = await holdDirectory(host, place, asOwner(identity));
  const fresh = `${file}.${host.run}`;
  const struck = host.acquire({ kind: 'file', name: fresh });
  const options = [
    ...(arch === undefined ? [] : [`--architectures=${arch}`]),
    ...(include.length === 0 ? [] : [`--include=${include.join(',')}`]),
  ];
  const program = ['mmdebstrap', '--variant=minbase', '--mode=root', '--format=tar', ...options, release, fresh];
  try {
    const argv = [...asOwner(identity), ...dyingWithUs([...IN_NAMESPACES, ...program, ...mirror])];
    const env = { ...ownEnvironment(), TMPDIR: room.path };
    const onStderr = (chunk: Buffer) => host.console(chunk);
    const result = await runProgram(argv, { signal, kill: killFirst, env, onStderr });
    if (result.status !== 0)
      throw failureOfProgram('mmdebstrap', result, {
        code: 'bootstrap-failed',
        doing: `making an image of ${release}`,
        remedy: `see the lines above; --mirror says where from (now ${mirror.length === 0 ? "mmdebstrap's own choice" : mirror.join('; ')})`,
      });
    await rename(fresh, file);
  } finally {
    await rm(fresh, { force: true });
    struck();
    await room.remove(AbortSignal.timeout(REMOVAL));
  }
}

/**
 * Kills the first process of the namespaces that unshare(1) has made, if it has: unshare itself then ends when the
 * kernel has ended all in them, and nobody writes any more where we clean up.
 */
function killFirst(unshare: number): boolean {
  const first = childrenOf(unshare).find(isFirst);
  if (first === undefined) return false;
  kill9(first);
  return true;
}

/** One name for one recipe. Pure. */
function nameOf({ release, arch, include, mirror }: Recipe): string {
  const recipe = JSON.stringify([release, arch ?? null, [...include].sort(), mirror]);
  const digest = createHash('sha256').update(recipe).digest('hex').slice(0, 16);
  return `${release.replaceAll(/[^\w.-]/g, '_')}-${digest}.tar`;
}
