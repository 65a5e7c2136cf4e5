import type { CauseClass } from '../../../src/events/index.ts';

/** The backends of the table, in its order. */
export const COLUMNS = [
  ...(['null', 'ssh', 'chroot', 'schroot', 'unshare', 'nspawn', 'lxc', 'podman', 'docker', 'lxd', 'incus'] as const),
];

type Column = (typeof COLUMNS)[number];

/** A test that asserts the cause, or why there is nothing to assert. */
export type Cell =
  | {
      readonly class: CauseClass;
      /** The code of the backend's error, where it gives one. */
      readonly code?: string;
      /** File below test/, and the title as it stands there. */
      readonly test: readonly [file: string, title: string];
    }
  | { readonly never: string }
  | { readonly open: string };

/** A fault, and what comes of it on each backend. */
export interface FaultRow {
  readonly fault: string;
  readonly cells: readonly (readonly [of: readonly Column[], cell: Cell])[];
}

const FILES = ['chroot', 'unshare', 'nspawn', 'lxc'] as const;
const CONTAINERS = ['podman', 'docker'] as const;
const INSTANCES = ['lxd', 'incus'] as const;
const PROVIDERS = [...FILES, 'schroot', ...CONTAINERS, ...INSTANCES] as const;
const EXISTING = ['null', 'ssh'] as const;

const NO_IMAGE = { never: 'it makes nothing of an image' };

function asserted(causeClass: CauseClass, code: string | null, file: string, title: string): Cell {
  return { class: causeClass, ...(code === null ? {} : { code }), test: [file, title] };
}

/** Of an image that is spoilt: the same tests for every backend that makes testbeds of images. */
function ofImages(causeClass: CauseClass, code: string | null, title: string): FaultRow['cells'][number] {
  return [PROVIDERS, asserted(causeClass, code, 'faults/images.test.ts', title)];
}

/** Every fault, on every backend. The page of docs/ is made of it, and every test in it is looked for. */
export const TABLE: readonly FaultRow[] = [
  {
    fault: 'image missing',
    cells: [
      [EXISTING, NO_IMAGE],
      [['chroot'], asserted('provision-failed', 'image-missing', 'backends/chroot.test.ts', 'where there is no image')],
      [['nspawn'], asserted('provision-failed', 'image-missing', 'backends/nspawn.test.ts', 'where there is no image')],
      [
        ['schroot'],
        asserted(
          'provision-failed',
          'image-missing',
          'backends/schroot.test.ts',
          'where no chroot of that name is known',
        ),
      ],
      [
        ['unshare'],
        asserted(
          'provision-failed',
          'image-missing',
          'backends/unshare.test.ts',
          'where there is no tarball of that name',
        ),
      ],
      [
        ['lxc'],
        asserted(
          'provision-failed',
          'image-missing',
          'backends/lxc.test.ts',
          'where there is no image, and no container',
        ),
      ],
      [
        CONTAINERS,
        asserted(
          'provision-failed',
          'image-missing',
          'backends/support/containerSuite.ts',
          'where there is no image, and fetches none',
        ),
      ],
      [
        INSTANCES,
        asserted(
          'provision-failed',
          'image-missing',
          'backends/lxd.test.ts',
          'says so where there is no image, and hands on no option that would take the instance away',
        ),
      ],
    ],
  },
  {
    fault: 'truncated tarball',
    cells: [
      [EXISTING, NO_IMAGE],
      [
        FILES,
        asserted(
          'provision-failed',
          'image-damaged',
          'faults/unpacking.test.ts',
          'that is cut off: image-damaged, and keeps nothing of it',
        ),
      ],
      [
        ['schroot'],
        asserted('provision-failed', 'image-damaged', 'backends/schroot.test.ts', 'where its tarball is cut off'),
      ],
      [
        INSTANCES,
        asserted('provision-failed', 'image-damaged', 'backends/lxd.test.ts', 'says so where the image is cut off'),
      ],
      [CONTAINERS, { never: 'their own program unpacks images, before a run' }],
    ],
  },
  {
    fault: 'disk full while a testbed is made',
    cells: [
      [EXISTING, NO_IMAGE],
      [
        FILES,
        asserted(
          'host-disk-full',
          'ENOSPC',
          'faults/unpacking.test.ts',
          'on a disk that is full: ENOSPC, and keeps nothing of it',
        ),
      ],
      [
        ['schroot'],
        asserted(
          'host-disk-full',
          'ENOSPC',
          'faults/unpacking.test.ts',
          'on a disk of its own that is full: ENOSPC, and keeps nothing of it',
        ),
      ],
      [
        [...CONTAINERS, ...INSTANCES],
        asserted(
          'host-disk-full',
          'ENOSPC',
          'faults/unpacking.test.ts',
          'of which the disk is full: ENOSPC, and leaves nothing there',
        ),
      ],
    ],
  },
  {
    fault: 'wrong architecture',
    cells: [
      [EXISTING, NO_IMAGE],
      ofImages('boot-failed', 'wrong-architecture', 'for another kind of processor: wrong-architecture'),
    ],
  },
  {
    fault: 'no shell in the image',
    cells: [[EXISTING, NO_IMAGE], ofImages('boot-failed', 'no-shell', 'without a shell: no-shell')],
  },
  {
    fault: 'no sshd',
    cells: [
      [['null'], { never: 'the server in our own process is its only one' }],
      [
        ['ssh'],
        asserted(
          'connection-refused',
          null,
          'faults/connecting.test.ts',
          'refuses connections for ever is given up after the deadline ssh-ready',
        ),
      ],
      ofImages('boot-failed', 'no-sshd', 'without an sshd, where a login is asked for: no-sshd'),
    ],
  },
  {
    fault: 'sshd that exits',
    cells: [
      [['null'], { never: 'the server in our own process is its only one' }],
      [['ssh'], asserted('connection-closed', null, 'faults/losing.test.ts', 'the session of sshd is killed')],
      ofImages('connection-closed', null, 'whose sshd exits: the connection was closed, with its last words'),
    ],
  },
  {
    fault: 'no subuids',
    cells: [
      [EXISTING, { never: 'it maps no ids' }],
      [['chroot', 'nspawn', 'lxc', 'schroot'], { never: 'root, or schroot, does it without a user namespace' }],
      [
        ['unshare'],
        asserted(
          'provision-failed',
          'no-subuids',
          'backends/unshare.test.ts',
          'says what is missing where there are no subordinate ids',
        ),
      ],
      [['podman'], { never: 'podman then maps the one id that there is' }],
      [['docker', ...INSTANCES], { never: 'the daemon is root' }],
    ],
  },
  {
    fault: 'no permission',
    cells: [
      [['null'], { never: 'whoever runs it may; whom they may not become is no-such-user' }],
      [['ssh'], asserted('auth-refused', null, 'faults/connecting.test.ts', 'refuses the key is not asked again')],
      [
        [...FILES, 'schroot', 'docker', ...INSTANCES],
        asserted(
          'provision-failed',
          'no-permission',
          'faults/lacking.test.ts',
          'where the user may not: no-permission',
        ),
      ],
      [['podman'], { never: 'any user may have containers of their own' }],
    ],
  },
  {
    fault: 'program missing',
    cells: [
      [['null'], { never: 'it runs none' }],
      [
        ['ssh'],
        asserted(
          'provision-failed',
          'program-missing',
          'backends/ssh.test.ts',
          'that cannot be run is told before anything is dialled: %s',
        ),
      ],
      [
        PROVIDERS,
        asserted(
          'provision-failed',
          'program-missing',
          'faults/lacking.test.ts',
          'where there is no %s: program-missing',
        ),
      ],
    ],
  },
  {
    fault: 'daemon not running',
    cells: [
      [[...EXISTING, ...FILES, 'schroot', 'podman'], { never: 'it has no daemon' }],
      [['docker'], asserted('provision-failed', 'daemon-not-running', 'backends/docker.test.ts', 'where none runs')],
      [
        INSTANCES,
        asserted(
          'provision-failed',
          'daemon-not-running',
          'backends/lxd.test.ts',
          'says so where the daemon does not run, or dies in the middle of a run',
        ),
      ],
    ],
  },
  {
    fault: 'daemon dies mid-run',
    cells: [
      [['null', ...FILES, 'schroot', 'podman'], { never: 'it has no daemon' }],
      [['ssh'], asserted('connection-closed', null, 'faults/losing.test.ts', 'sshd is killed with all its sessions')],
      [
        ['docker'],
        asserted(
          'testbed-died',
          null,
          'backends/docker.test.ts',
          'where it dies in the middle of a run, and names what is left',
        ),
      ],
      [
        INSTANCES,
        asserted(
          'testbed-died',
          null,
          'backends/lxd.test.ts',
          'says so where the daemon does not run, or dies in the middle of a run',
        ),
      ],
    ],
  },
  {
    fault: 'container killed from outside',
    cells: [
      [[...EXISTING, 'chroot', 'unshare'], { never: 'there is no container; see the next row' }],
      [['schroot'], asserted('testbed-died', null, 'backends/schroot.test.ts', 'where somebody ends the session')],
      [
        ['nspawn'],
        asserted('testbed-died', null, 'backends/nspawn.test.ts', 'where the container is killed from outside'),
      ],
      [['lxc'], asserted('testbed-died', null, 'backends/lxc.test.ts', 'where %s is killed from outside')],
      [
        CONTAINERS,
        asserted(
          'testbed-died',
          null,
          'backends/support/containerSuite.ts',
          'where the container is killed from outside',
        ),
      ],
      [
        INSTANCES,
        asserted(
          'testbed-died',
          null,
          'backends/lxd.test.ts',
          'dies of what somebody else does to the instance, and of nothing else: %s',
        ),
      ],
    ],
  },
  {
    fault: 'init dies',
    cells: [
      [EXISTING, { never: 'its first process is not ours' }],
      [
        PROVIDERS,
        asserted('testbed-died', null, 'faults/ending.test.ts', 'whose init is killed from outside: testbed-died'),
      ],
    ],
  },
  {
    fault: '/tmp full in the testbed',
    cells: [
      [
        ['null'],
        asserted(
          'testbed-disk-full',
          null,
          'faults/filling.test.ts',
          'whose /tmp is full ends the run whose tree does not fit',
        ),
      ],
      [
        ['ssh'],
        asserted('testbed-disk-full', null, 'faults/filling.test.ts', 'in the testbed fails the copy of a %s into it'),
      ],
      ofImages('testbed-disk-full', null, 'whose /tmp is full: the copy fails for it, and the testbed goes on'),
    ],
  },
  {
    fault: 'two runs wanting the same name',
    cells: [
      [EXISTING, { never: 'it names nothing' }],
      [['chroot', 'unshare'], { never: 'its namespaces have no names' }],
      [['nspawn'], { never: 'its machine is not registered, and its control group is named by the run' }],
      [
        ['schroot'],
        asserted(
          'provision-failed',
          'name-in-use',
          'backends/schroot.test.ts',
          'where the name of the session is taken, and leaves that one alone',
        ),
      ],
      [
        ['lxc'],
        asserted(
          'provision-failed',
          'name-in-use',
          'backends/lxc.test.ts',
          'where the name is in use, and leaves whose it is alone',
        ),
      ],
      [
        CONTAINERS,
        asserted(
          'provision-failed',
          'name-in-use',
          'backends/support/containerSuite.ts',
          'where somebody else has a container of that name, which stays',
        ),
      ],
      [
        INSTANCES,
        asserted(
          'provision-failed',
          'name-in-use',
          'backends/lxd.test.ts',
          'says so where somebody else has an instance of that name, which stays',
        ),
      ],
    ],
  },
  {
    fault: 'teardown hangs',
    cells: [
      [EXISTING, { never: 'there is nothing to take down but a connection' }],
      [
        PROVIDERS,
        asserted(
          'teardown-failed',
          null,
          'faults/ending.test.ts',
          'whose removal never ends: teardown-failed by a deadline, with the command that removes it',
        ),
      ],
    ],
  },
  {
    fault: 'SIGTERM of the runner in each phase',
    cells: [
      [
        ['null'],
        asserted(
          'operator-interrupted',
          null,
          'e2e/signals.test.ts',
          '%s takes the testbed down in order and exits with %d',
        ),
      ],
      [
        ['ssh'],
        asserted(
          'operator-interrupted',
          null,
          'e2e/interrupted.test.ts',
          '%s: %s takes the testbed down in order and exits with %d',
        ),
      ],
      [
        PROVIDERS,
        asserted(
          'operator-interrupted',
          null,
          'faults/phases.test.ts',
          'that gets SIGTERM in the phase $phase ends in order',
        ),
      ],
    ],
  },
  {
    fault: 'SIGKILL of the runner in each phase, then reap',
    cells: [
      [['null'], asserted('runner-killed', null, 'e2e/signals.test.ts', 'is finished by trundle reap, from its trace')],
      [['ssh'], asserted('runner-killed', null, 'e2e/killed.test.ts', '%s is finished by reap from its trace')],
      [
        PROVIDERS,
        asserted(
          'runner-killed',
          null,
          'faults/phases.test.ts',
          'that gets SIGKILL in the phase $phase is finished by reap',
        ),
      ],
    ],
  },
];
