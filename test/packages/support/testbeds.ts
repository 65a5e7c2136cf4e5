import { type Chroot, defineChroot, unpackedImage, withoutLists } from '../../support/chroots.ts';
import { IMAGE_USER, packagesImage } from '../../support/images.ts';

/** Testbeds with apt: a chroot of schroot's for both programs, and namespaces of our own; both forget what is done. */
export interface Testbeds extends Disposable {
  /** Root directory of what both are made of. */
  readonly image: string;
  readonly schroot: readonly string[];
  readonly unshare: readonly string[];
}

/** The ordinary user of both, for both programs. */
export const USER: readonly string[] = ['--user', IMAGE_USER];

/** Makes them, or takes the image that is there. @param directory what both are made of: apt can have all of the archive there */
export function testbeds(directory = unpackedImage(packagesImage())): Testbeds {
  const chroot: Chroot = defineChroot(() => ({
    type: 'directory',
    directory,
    'union-type': 'overlay',
    users: 'root',
    'root-users': 'root',
    'source-root-users': 'root',
  }));
  return {
    image: directory,
    schroot: ['schroot', chroot.name],
    unshare: ['unshare', '--tarball', directory],
    [Symbol.dispose]: () => chroot[Symbol.dispose](),
  };
}

/** Those in which nothing can be had but what is installed and what they are given: apt is quicker there. */
export function testbedsWithoutArchive(): Testbeds {
  return testbeds(withoutLists(unpackedImage(packagesImage())));
}
