import type { Steps } from './Steps.ts';

/**
 * Makes an ordinary user with a home directory, named `test` or, where that is taken, `test2` and so on. Prints the
 * name; prints nothing where there is no useradd(8). The account has no password, but is not locked: sshd turns away
 * locked ones.
 */
const CREATE = `set -e
command -v useradd >/dev/null 2>&1 || exit 0
name=test number=1
while id -u "$name" >/dev/null 2>&1; do number=$((number+1)); name=test$number; done
shell=/bin/sh
if [ -x /bin/bash ]; then shell=/bin/bash; fi
useradd --create-home --user-group --comment 'Ordinary user for tests' --shell "$shell" --password '*' "$name" >&2
echo "$name"`;

/** Makes an ordinary user in a testbed that has none and will be put back; null where it has no useradd(8). */
export async function createNormalUser(steps: Steps): Promise<string | null> {
  const doing = 'making an ordinary user for the tests';
  const { stdout } = await steps.must({ doing, phase: 'provision', script: CREATE });
  return stdout.trim() || null;
}

/** Says whether user $1, asked as such, is in group sudo and may use sudo without a password. */
const MAY_SUDO = `if [ "$(id -un)" = "$1" ]; then as() { sh -c "$1"; }; else as() { su -s /bin/sh "$user" -c "$1"; }; fi
user=$1
case " $(as 'id -Gn' 2>/dev/null) " in *' sudo '*) ;; *) exit 1;; esac
as 'sudo -n -v' >/dev/null 2>&1`;

/**
 * Lets user $1 use sudo without a password: by the group sudo, as DEP-8 promises. sudo writes to stderr where nobody can
 * resolve the host's own name.
 */
const ENABLE_SUDO = `set -e
usermod --append --groups sudo "$1"
mkdir -p /etc/sudoers.d
host=$(uname -n)
getent hosts "$host" >/dev/null 2>&1 || echo "127.0.1.1 $host" >>/etc/hosts
umask 227
echo '%sudo ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/autopkgtest-needs-sudo`;

/** What is known of the testbed in which a test wants sudo. */
export interface SudoContext {
  readonly steps: Steps;
  /** The ordinary user; null where there is none. */
  readonly user: string | null;
  /** Whether we are root there. */
  readonly root: boolean;
  /** Whether all of it can be put back afterwards. */
  readonly revertible: boolean;
  /** Called before anything is changed. */
  readonly onSetUp: (user: string) => void;
}

/**
 * Sees to what the restriction needs-sudo promises. The answer is null, or why it cannot be had, in autopkgtest's
 * words. What is set up goes away when the testbed is put back.
 */
export async function provideSudo({ steps, user, root, revertible, onSetUp }: SudoContext): Promise<string | null> {
  const cannot = (why: string) => `Cannot enable needs-sudo restriction: ${why}`;
  if (root && user === null) return cannot('no ordinary user available');
  const words = [user ?? steps.admin];
  const asked = await steps.ask({ doing: 'asking whether sudo works', phase: 'exec', script: MAY_SUDO, words });
  if (asked.status === 0) return null;
  if (!root) return cannot('not root');
  if (!revertible) return cannot('cannot revert');
  onSetUp(words[0] ?? '');
  const doing = 'setting up sudo';
  const { status, stderr } = await steps.ask({ doing, phase: 'provision', script: ENABLE_SUDO, words });
  if (status === 0) return null;
  return `Failed to enable needs-sudo restriction: exit status ${status}${stderr === '' ? '' : `: ${stderr.trim()}`}`;
}
