import { defineChroot } from '../../../support/chroots.ts';
import { tinyImage, tinyRoot } from '../../../support/images.ts';
import type { Need } from '../../../support/needs.ts';
import { PROVIDERS, type Provider, type ProviderKind } from '../providers.ts';

/** A backend in whose testbeds faults happen. */
export interface Place {
  readonly name: string;
  readonly needs: readonly Need[];
  /** How many of the faults are its. */
  readonly share: number;
  /** Its words on the command line, for an image, with further options. */
  words(image: string, session?: 'login' | 'stand-in', ...options: string[]): readonly string[];
  /** Its image; null for what has none. */
  image: string | null;
  /** Makes a tarball that it would take; null where it takes none. */
  readonly tarball: ((file: string) => string) | null;
  /** Whether a process of this machine is its first, whose end is its end. */
  readonly init: boolean;
  /** Whether a signal that ended a command is told as such; else as 128 and its number, as a shell tells it. */
  readonly signals: boolean;
  /** Whether each verb takes a while. */
  readonly slow: boolean;
  /** Makes the image in a directory; what it gives goes away at the end. */
  make?(directory: string): Disposable | undefined | Promise<AsyncDisposable>;
  /** The testbeds of a run, as its own program tells of them. Absent where it has none. */
  standing?(run: string): string[];
}

const IMAGE: readonly Need[] = ['root', 'unshare', 'busybox', 'tar', 'overlay'];

/** How many faults have those that take long to make. */
const SHARES: Readonly<Partial<Record<ProviderKind['name'], number>>> = { podman: 16, docker: 12, lxd: 8, incus: 8 };

/** The backends, cheap ones most. */
export const PLACES: readonly Place[] = [
  {
    name: 'null',
    needs: [],
    share: 50,
    words: (_image, _session, ...options) => ['null', ...options],
    image: null,
    tarball: null,
    init: false,
    signals: true,
    slow: false,
  },
  {
    ...ofImage('unshare', 70, IMAGE),
    words: (image, session = 'stand-in', ...options) => [
      'unshare',
      '--tarball',
      image,
      '--session',
      session,
      ...options,
    ],
    make(directory) {
      this.image = tinyRoot(`${directory}/unshare`);
      return undefined;
    },
  },
  {
    ...ofImage('chroot', 40, IMAGE),
    words: (image, session = 'stand-in', ...options) => ['chroot', image, '--session', session, ...options],
    make(directory) {
      this.image = tinyImage(`${directory}/chroot.tar`);
      return undefined;
    },
  },
  {
    ...ofImage('nspawn', 30, [...IMAGE, 'systemd-nspawn']),
    words: (image, session = 'stand-in', ...options) => ['nspawn', image, '--session', session, ...options],
    make(directory) {
      this.image = tinyRoot(`${directory}/nspawn`);
      return undefined;
    },
  },
  {
    ...ofImage('schroot', 20, [...IMAGE, 'schroot']),
    tarball: null,
    // It is up, and its endpoint is there, when its session has been begun.
    slow: false,
    words: (image, session = 'stand-in', ...options) => ['schroot', image, '--session', session, ...options],
    make(directory) {
      const root = tinyRoot(`${directory}/schroot`);
      const chroot = defineChroot(() => ({ type: 'directory', directory: root, 'union-type': 'overlay' }));
      this.image = chroot.name;
      return chroot;
    },
  },
  ...PROVIDERS.flatMap((kind) => {
    const share = SHARES[kind.name];
    return share === undefined ? [] : [ofProvider(kind, share)];
  }),
];

function ofImage(name: string, share: number, needs: readonly Need[]) {
  const tarball = (file: string) => tinyImage(file);
  return { name, share, needs, image: '' as string | null, tarball, init: true, signals: true, slow: true };
}

/** A place whose images its own program keeps; the first process of this machine is a client, or none. */
function ofProvider({ name, needs, make }: ProviderKind, share: number): Place {
  let provider: Provider | undefined;
  return {
    ...ofImage(name, share, needs),
    tarball: null,
    init: false,
    signals: false,
    words: (image, session = 'stand-in', ...options) =>
      provider?.words(image, '--session', session, ...options) ?? [name, image],
    async make() {
      provider = await make();
      this.image = provider.image();
      return provider;
    },
    standing: (run) => provider?.testbeds?.(run) ?? [],
  };
}
