import { defineChroot } from '../../../support/chroots.ts';
import { tinyImage, tinyRoot } from '../../../support/images.ts';
import type { Need } from '../../../support/needs.ts';

/** A backend in whose testbeds faults happen. */
export interface Place {
  readonly name: string;
  readonly needs: readonly Need[];
  /** How many of the faults are its. */
  readonly share: number;
  /** Its words on the command line, for an image. */
  words(image: string, session?: 'login' | 'stand-in'): readonly string[];
  /** Its image; null for what has none. */
  image: string | null;
  /** Makes a tarball that it would take; null where it takes none. */
  readonly tarball: ((file: string) => string) | null;
  /** Whether a process of this machine is its first, whose end is its end. */
  readonly init: boolean;
  /** Whether each verb takes a while. */
  readonly slow: boolean;
  /** Makes the image in a directory; what it gives goes away at the end. */
  make?(directory: string): Disposable | undefined;
}

const IMAGE: readonly Need[] = ['root', 'unshare', 'busybox', 'tar', 'overlay'];

/** The backends, cheap ones most. */
export const PLACES: readonly Place[] = [
  {
    name: 'null',
    needs: [],
    share: 50,
    words: () => ['null'],
    image: null,
    tarball: null,
    init: false,
    slow: false,
  },
  {
    ...ofImage('unshare', 70, IMAGE),
    words: (image, session = 'stand-in') => ['unshare', '--tarball', image, '--session', session],
    make(directory) {
      this.image = tinyRoot(`${directory}/unshare`);
      return undefined;
    },
  },
  {
    ...ofImage('chroot', 40, IMAGE),
    words: (image, session = 'stand-in') => ['chroot', image, '--session', session],
    make(directory) {
      this.image = tinyImage(`${directory}/chroot.tar`);
      return undefined;
    },
  },
  {
    ...ofImage('nspawn', 30, [...IMAGE, 'systemd-nspawn']),
    words: (image, session = 'stand-in') => ['nspawn', image, '--session', session],
    make(directory) {
      this.image = tinyRoot(`${directory}/nspawn`);
      return undefined;
    },
  },
  {
    ...ofImage('schroot', 20, [...IMAGE, 'schroot']),
    tarball: null,
    words: (image, session = 'stand-in') => ['schroot', image, '--session', session],
    make(directory) {
      const root = tinyRoot(`${directory}/schroot`);
      const chroot = defineChroot(() => ({ type: 'directory', directory: root, 'union-type': 'overlay' }));
      this.image = chroot.name;
      return chroot;
    },
  },
];

function ofImage(name: string, share: number, needs: readonly Need[]) {
  const tarball = (file: string) => tinyImage(file);
  return { name, share, needs, image: '' as string | null, tarball, init: true, slow: true };
}
