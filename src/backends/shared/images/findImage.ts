import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BackendError } from '../../contract.ts';
import { asOwner, explainOwners, type Identity } from '../namespaces/identity.ts';
import type { BaseImage } from '../namespaces/NamespaceTestbed.ts';
import { cacheDirectory } from './cacheDirectory.ts';
import type { Ownership, ProvideOptions } from './entry.ts';
import { ImageCache } from './ImageCache.ts';

/**
 * The root file system at a path: a directory as it is, a tarball from the cache.
 * @throws BackendError `image-missing`, `image-damaged`, `ENOSPC` and others
 */
export async function findImage(
  path: string,
  identity: Identity,
  options: Omit<ProvideOptions, 'ownership'>,
): Promise<BaseImage> {
  const full = resolve(path);
  const found = await stat(full).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
      throw new BackendError('image-missing', `there is no image ${full}`, { remedy: `mmdebstrap stable ${full}` });
    throw new BackendError('image-unreadable', `the image ${full} cannot be read: ${error.message}`, { cause: error });
  });
  if (found.isDirectory()) return { root: full, lock: null };
  return new ImageCache(cacheDirectory()).provide(full, { ...options, ownership: ownershipOf(identity) });
}

/** Root over ids can remove what those who have fewer have made. */
const REMOVES: Readonly<Record<Identity, readonly Identity[]>> = {
  root: ['root', 'subuids', 'single'],
  subuids: ['subuids', 'single'],
  single: ['single'],
};

function ownershipOf(identity: Identity): Ownership {
  return {
    name: identity,
    prefix: asOwner(identity),
    owners: identity !== 'single',
    refusal: (stderr) => explainOwners(identity, stderr),
    removes: REMOVES[identity],
  };
}
