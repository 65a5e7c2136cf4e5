import { createHash } from 'node:crypto';
import { rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../../host/index.ts';
import type { BackendHost } from '../../contract.ts';
import { BackendError } from '../../contract.ts';
import type { Identity } from '../namespaces/identity.ts';
import { mustRun } from '../runProgram.ts';
import { cacheDirectory } from './cacheDirectory.ts';
import { FileLock } from './FileLock.ts';

/** Milliseconds after which an image is made anew. */
const FRESH = 7 * 24 * 3600 * 1000;

/** What to make an image of. */
export interface Recipe {
  readonly release: string;
  readonly arch: string | undefined;
  /** Packages besides the smallest set. */
  readonly include: readonly string[];
}

/**
 * A tarball made by mmdebstrap(1) from this machine's apt sources, or one that was made in the last seven days from the
 * same recipe. Two runs that want the same one at once make it once.
 * @throws BackendError `bootstrap-failed`, `program-missing`, `no-subuids`, `ENOSPC`
 */
export async function bootstrap(
  { release, arch, include }: Recipe,
  identity: Identity,
  { host, signal, now = Date.now() }: { host: BackendHost; signal: AbortSignal; now?: number },
): Promise<string> {
  if (identity === 'single') {
    throw new BackendError('no-subuids', 'mmdebstrap needs root or a range of subordinate ids', {
      remedy: 'get subordinate ids (see trundle backends), or give --tarball',
    });
  }
  const directory = join(cacheDirectory(), 'bootstrap');
  makeDirectory(directory);
  const recipe = JSON.stringify([release, arch ?? null, [...include].sort()]);
  const name = `${release.replaceAll(/[^\w.-]/g, '_')}-${createHash('sha256').update(recipe).digest('hex').slice(0, 16)}.tar`;
  const file = join(directory, name);
  await writeFile(`${file}.lock`, '', { flag: 'a' });
  const lock = await FileLock.take(`${file}.lock`, signal);
  try {
    const made = await stat(file).then(
      (stats) => stats.mtimeMs,
      () => 0,
    );
    if (now - made < FRESH) return file;
    const fresh = `${file}.${host.run}`;
    const struck = host.acquire({ kind: 'file', name: fresh });
    const options = [
      ...(arch === undefined ? [] : [`--architectures=${arch}`]),
      ...(include.length === 0 ? [] : [`--include=${include.join(',')}`]),
    ];
    host.console(Buffer.from(`trundle: mmdebstrap makes an image of ${release}; this is kept for seven days\n`));
    await mustRun(
      [
        'mmdebstrap',
        '--variant=minbase',
        `--mode=${identity === 'root' ? 'root' : 'unshare'}`,
        '--format=tar',
        ...options,
        release,
        fresh,
      ],
      {
        signal,
        code: 'bootstrap-failed',
        doing: `making an image of ${release}`,
        remedy: 'apt-get update must work here; see the lines above',
      },
    );
    await rename(fresh, file);
    struck();
    return file;
  } finally {
    await lock.free();
  }
}
