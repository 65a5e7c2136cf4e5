import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { BackendError } from '../../contract.ts';
import { quote } from '../quote.ts';
import { type Identity, isOurs } from './identity.ts';
import { subidFiles } from './subids.ts';

/** What a testbed writes to before anybody has entered it. */
const WRITTEN = ['', 'etc', 'etc/passwd', 'etc/group'];

/** Uids of this machine, first and last. */
type Uids = readonly [first: number, last: number];

/**
 * Makes sure that who owns a root file system exists in the testbed: nobody there may write what belongs to others, not
 * even root, and the layer takes over the owners of what is below it.
 * @throws BackendError `image-foreign`
 */
export async function mustBeMapped(root: string, identity: Identity): Promise<void> {
  if (identity === 'root') return;
  const mapped = uidsOf(identity);
  for (const path of WRITTEN.map((name) => join(root, name))) {
    const uid = await ownerOf(path);
    if (uid === null || mapped.some(([first, last]) => first <= uid && uid <= last)) continue;
    const known = mapped.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(' and ');
    const [directory, tarball] = [quote(root), quote(`${root}.tar`)];
    throw new BackendError(
      'image-foreign',
      `${path} belongs to uid ${uid}, who does not exist in the testbed (--map=${identity} gives it ${known})`,
      {
        remedy: `as root: tar -C ${directory} --one-file-system --numeric-owner -cf ${tarball} . and give ${tarball}; or, where nobody else uses it: chown -R ${process.getuid?.()}:${process.getgid?.()} ${directory}`,
      },
    );
  }
}

/** Who exists in the user namespace: ourselves, and of subordinate ids the first range of ours, as unshare(1) takes it. */
function uidsOf(identity: Identity): Uids[] {
  const uid = process.getuid?.() ?? 0;
  const [subuids] = subidFiles();
  const range = identity === 'subuids' ? subuids?.ranges.find(isOurs) : undefined;
  return [[uid, uid], ...(range === undefined ? [] : [[range.start, range.start + range.count - 1] as const])];
}

async function ownerOf(path: string): Promise<number | null> {
  // What is not there, or cannot be seen, is told of by whoever needs it.
  return await lstat(path).then(
    ({ uid }) => uid,
    () => null,
  );
}
