import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { homeDirectory } from '../../../host/index.ts';
import { BackendError } from '../../contract.ts';

/**
 * The tarball that autopkgtest-virt-unshare(1) would take: `RELEASE-ARCH.t*` where sbuild(1) keeps them; the first by
 * name where several fit.
 * @throws BackendError `image-missing`
 */
export async function sbuildImage(
  { release, arch }: { release: string | undefined; arch: string | undefined },
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const directory = join(env.XDG_CACHE_HOME || join(homeDirectory(), '.cache'), 'sbuild');
  const names = await readdir(directory).catch(() => []);
  const pattern = new RegExp(`^${part(release)}-${part(arch)}\\.t`);
  const [found] = names.filter((name) => pattern.test(name)).toSorted();
  if (found !== undefined) return join(directory, found);
  const wanted = `${release ?? '*'}-${arch ?? '*'}.t*`;
  throw new BackendError('image-missing', `there is no ${wanted} in ${directory}, and no --tarball was given`, {
    remedy: `--bootstrap --release ${release ?? 'stable'}; or mmdebstrap ${release ?? 'stable'} ${join(directory, `${release ?? 'stable'}-${arch ?? 'amd64'}.tar`)}`,
  });
}

function part(word: string | undefined): string {
  return word === undefined ? '.*' : word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
