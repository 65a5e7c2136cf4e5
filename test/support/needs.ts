import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { whyNoSubuids } from '../../src/backends/shared/namespaces/identity.ts';
import { fateOf } from './skips.ts';

/** Something that a machine may lack, and that some tests cannot do without. */
type Requirement = {
  /** Is it here? Must change nothing and answer within seconds. */
  readonly present: () => boolean;
  /** What a person reads where it is not. */
  readonly missing: string;
} & (
  | {
      /** The Debian package that provides it. */
      readonly package: string;
    }
  | {
      /** How else a machine is given what no package can (a user id, a kernel feature). */
      readonly remedy: string;
    }
);

// sshd and mount live in directories that a normal user's PATH does not name.
const SEARCH = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Absolute path of a program, sbin directories included; null where this machine has none. */
export function findProgram(name: string): string | null {
  for (const directory of SEARCH) {
    if (directory === '') continue;
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here; the next directory may have it.
    }
  }
  return null;
}

function program(name: string, debianPackage: string): Requirement {
  return { present: () => findProgram(name) !== null, missing: `no ${name}`, package: debianPackage };
}

function succeeds(...argv: readonly [string, ...string[]]): boolean {
  const [name, ...args] = argv;
  const path = findProgram(name);
  return path !== null && spawnSync(path, args, { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

function loads(name: string): boolean {
  try {
    createRequire(import.meta.url)(name);
    return true;
  } catch {
    return false;
  }
}

/** Whether the archive of apt's first source can be reached. */
function archiveAnswers(): boolean {
  const format = '$(REPO_URI)dists/$(CODENAME)/Release';
  const targets = spawnSync('apt-get', ['indextargets', '--format', format, 'Created-By: Packages', 'Origin: Debian'], {
    encoding: 'utf8',
  });
  const [release = ''] = (targets.stdout ?? '').split('\n');
  const ask =
    'fetch(process.argv[1], { signal: AbortSignal.timeout(8000) }).then(({ ok }) => process.exit(ok ? 0 : 1))';
  return release !== '' && spawnSync(process.execPath, ['-e', ask, release], { timeout: 10_000 }).status === 0;
}

/** A library that gives a program accounts that this machine has not; null where it is not here. */
export const NSS_WRAPPER =
  readdirSync('/usr/lib')
    .map((directory) => join('/usr/lib', directory, 'libnss_wrapper.so'))
    .find((file) => existsSync(file)) ?? null;

const ALLOWED = 'run the tests as root of a whole machine, or of a container with --privileged';

const OVERLAY =
  'mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w && mount -t overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w none /mnt';

/**
 * Everything a test may need. Add a line here, and its package to scripts/ci-packages.txt: CI installs what that
 * file names, and skips nothing but for what skips.ts accepts.
 */
const REQUIREMENTS = {
  sshd: program('sshd', 'openssh-server'),
  ssh: program('ssh', 'openssh-client'),
  'ssh-agent': program('ssh-agent', 'openssh-client'),
  'ssh-keygen': program('ssh-keygen', 'openssh-client'),
  tar: { present: () => succeeds('tar', '--help'), missing: 'no GNU tar', package: 'tar' },
  prlimit: program('prlimit', 'util-linux'),
  'nss-wrapper': {
    present: () => NSS_WRAPPER !== null,
    missing: 'no libnss_wrapper.so',
    package: 'libnss-wrapper',
  },
  setsid: program('setsid', 'util-linux'),
  script: program('script', 'bsdutils'),
  tmux: program('tmux', 'tmux'),
  useradd: program('useradd', 'passwd'),
  dash: program('dash', 'dash'),
  bash: program('bash', 'bash'),
  openssl: program('openssl', 'openssl'),
  gpg: program('gpg', 'gnupg'),
  tcsh: program('tcsh', 'tcsh'),
  fish: program('fish', 'fish'),
  dpkg: program('dpkg', 'dpkg'),
  'apt-get': program('apt-get', 'apt'),
  'dpkg-source': program('dpkg-source', 'dpkg-dev'),
  autodep8: program('autodep8', 'autodep8'),
  git: program('git', 'git'),
  autopkgtest: program('autopkgtest', 'autopkgtest'),
  xmllint: program('xmllint', 'libxml2-utils'),
  perl: program('perl', 'perl-base'),
  python3: program('python3', 'python3'),
  mmdebstrap: program('mmdebstrap', 'mmdebstrap'),
  newuidmap: program('newuidmap', 'uidmap'),
  busybox: program('busybox', 'busybox-static'),
  unshare: program('unshare', 'util-linux'),
  ip: program('ip', 'iproute2'),
  podman: program('podman', 'podman'),
  runc: program('runc', 'runc'),
  dockerd: program('dockerd', 'docker.io'),
  lxd: program('lxd', 'lxd'),
  'lxc-start': program('lxc-start', 'lxc'),
  rsync: program('rsync', 'rsync'),
  'mkfs.ext4': program('mkfs.ext4', 'e2fsprogs'),
  incus: { present: () => findProgram('incus') !== null, missing: 'no incus', package: 'incus-base' },
  gcc: program('gcc', 'gcc'),
  schroot: program('schroot', 'schroot'),
  'systemd-nspawn': program('systemd-nspawn', 'systemd-container'),
  'node-pty': {
    present: () => loads('node-pty'),
    missing: 'node-pty was not built (npm needs gcc, make and python3 for it)',
    package: 'build-essential',
  },
  chromium: program('chromium', 'chromium'),
  'ordinary-user': {
    present: () => process.getuid?.() !== 0,
    missing: 'root runs the tests, and has no useradd to be an ordinary user',
    package: 'passwd',
  },
  subuids: {
    present: () => whyNoSubuids() === null,
    missing: 'no range of subordinate ids for this user, or no newuidmap',
    package: 'uidmap',
  },
  root: { present: () => process.getuid?.() === 0, missing: 'not root', remedy: 'run the tests as root' },
  tmpfs: {
    present: () => succeeds('unshare', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'),
    missing: 'not allowed to mount a tmpfs',
    remedy: ALLOWED,
  },
  mounts: {
    present: () =>
      succeeds(
        ...(['unshare', '--mount', '--pid', '--fork', '--mount-proc', 'sh', '-ec'] as const),
        'mount -t tmpfs none /mnt; mkdir /mnt/u /mnt/w; mount -t overlay o -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w /etc',
      ),
    missing: 'not allowed to change mounts, overlays among them',
    remedy: ALLOWED,
  },
  'pid-namespace': {
    present: () => succeeds('unshare', '--pid', '--fork', '--mount-proc', 'true'),
    missing: 'not allowed to make PID namespaces',
    remedy: ALLOWED,
  },
  overlay: {
    present: () => succeeds('unshare', '--mount', 'sh', '-c', OVERLAY),
    missing: 'not allowed to mount an overlay file system',
    remedy: ALLOWED,
  },
  namespaces: {
    present: () => succeeds('unshare', '--user', '--map-root-user', '--mount', 'true'),
    missing: 'not allowed to make user namespaces',
    remedy: 'sysctl --write user.max_user_namespaces=10000 kernel.unprivileged_userns_clone=1',
  },
  archive: {
    present: archiveAnswers,
    missing: 'no answer from the Debian archive that apt of this machine uses',
    remedy: 'name one that answers in /etc/apt/sources.list',
  },
  mknod: {
    present: () => succeeds('sh', '-c', 'd=$(mktemp -d) && mknod "$d/n" c 1 3; status=$?; rm -rf "$d"; exit "$status"'),
    missing: 'not allowed to make device nodes',
    remedy: ALLOWED,
  },
  proc: {
    present: () => succeeds('test', '-e', '/proc/self/stat'),
    missing: 'no /proc',
    remedy: 'mount -t proc proc /proc',
  },
} satisfies Record<string, Requirement>;

/** A thing that tests may need of the machine. */
export type Need = keyof typeof REQUIREMENTS;

/** Every need, for the test that compares them with CI's list of packages. */
export const needs: Readonly<Record<Need, Requirement>> = REQUIREMENTS;

const known = new Map<Need, boolean>();

/** Does this machine have it? Asked once per process. */
export function have(need: Need): boolean {
  let answer = known.get(need);
  if (answer === undefined) {
    answer = needs[need].present();
    known.set(need, answer);
  }
  return answer;
}

/** What the closing table reads. */
declare module 'vitest' {
  interface TaskMeta {
    /** Why the tests of this suite could not start on this machine. */
    missing?: readonly string[];
  }
}

const inCi = process.env.CI === 'true';

function reason(need: Need): string {
  const requirement = needs[need];
  const remedy = 'package' in requirement ? `apt-get install ${requirement.package}` : requirement.remedy;
  return `${need}: ${requirement.missing} (${remedy})`;
}

/**
 * A suite that runs where the machine has all it needs. Elsewhere its tests are skipped, and the closing table names
 * them with the reason. In CI (`CI=true`) it is a failing test instead, unless skips.ts accepts the reason.
 */
export function describeWith(required: readonly Need[], name: string, suite: () => void): void {
  const fate = fateOf(
    required.filter((need) => !have(need)),
    inCi,
  );
  if (fate.kind === 'fail') {
    describe(name, () => {
      test('finds what it needs', () => {
        throw new Error(
          `CI must have ${fate.lacking.map(reason).join('; ')}. See scripts/ci-packages.txt, and test/support/skips.ts.`,
        );
      });
    });
    return;
  }
  const missing = fate.kind === 'skip' ? fate.lacking.map(reason) : [];
  describe.skipIf(missing.length > 0)(name, { meta: { missing } }, suite);
}
