import { basename } from 'node:path';
import { ROOT_PATH } from '../../../standin/index.ts';
import { quote } from '../quote.ts';
import { initScript } from './FirstShell.ts';

/** How a testbed's root file system comes about. */
export type RootPlan =
  /** A directory as it is: what the testbed writes stays in it. */
  | {
      readonly kind: 'directory';
      readonly path: string;
      /** A directory of the run's own, or the same. */
      readonly mountpoint: string;
      /** Paths in it where this machine has mounted what a testbed has of its own. */
      readonly covered: readonly string[];
    }
  /** A directory below, never written to; what the testbed writes goes to `upper`. */
  | {
      readonly kind: 'overlay';
      readonly lower: string;
      readonly upper: string;
      readonly work: string;
      readonly mountpoint: string;
    };

/** What is set up in a testbed's namespaces before its init runs. */
export interface SetupPlan {
  readonly root: RootPlan;
  /** Whether what is written to the root is thrown away, so that accounts and resolv.conf(5) may be set in it. */
  readonly disposable: boolean;
  /** Whether a user namespace owns the mounts. */
  readonly userNamespace: boolean;
  /** The only uid and gid that exist; null where all do. */
  readonly only: { readonly uid: number; readonly gid: number } | null;
  /** Directories of this machine, and where they are seen inside. */
  readonly binds: readonly { readonly outside: string; readonly inside: string }[];
  readonly privateNetwork: boolean;
  /** A name for an ordinary account that is made where there is none, in what is thrown away; null to make none. */
  readonly addUser: string | null;
  /** A file that is locked (flock(2), shared) for as long as the init lives; null for none. */
  readonly lock: string | null;
  /** What is made ready for a shell that the init starts; null to start none. */
  readonly shell: {
    /** Who will log in first. */
    readonly login: string;
    /** The directory in /run where the files of an sshd will be; null where there will be none. */
    readonly directory: string | null;
  } | null;
}

/** The exit status that says: the overlay could not be mounted. */
export const NO_OVERLAY = 90;

/** The exit status that says: the image was thrown out of the cache before it was locked. */
export const IMAGE_GONE = 92;

/**
 * The script that the first process in the new namespaces runs: it waits to be recorded, sets up the mounts by programs
 * of this machine, and becomes the testbed's init.
 *
 * The new root is moved over the old one, as switch_root(8) does, rather than pivoted to: nothing is needed of the
 * image for it, and unlike after chroot(2) alone the testbed can make user namespaces of its own. Mounts of this
 * machine are followed (slave), so that a testbed keeps nothing busy that is unmounted here. Pure.
 */
export function setupScript(plan: SetupPlan): string {
  const { root } = plan;
  const place = root.mountpoint;
  return `set -e
umask 022
read -r pid rest </proc/self/stat
echo "pid $pid"
read -r go || exit 0
${plan.lock === null ? '' : lockLines(plan.lock)}r=${quote(place)}
${rootLines(plan)}
${networkLines(plan)}
${plan.privateNetwork ? 'mount -n -t sysfs -o nosuid,nodev,noexec sysfs "$r/sys" 2>/dev/null || mount -n --rbind /sys "$r/sys"\n' : ''}for f in ${DEVICES.join(' ')}; do : >"$r/dev/$f"; done
cd "$r/dev"
{ ln -s pts/ptmx /proc/self/fd .
  if [ -L /dev/stdin ] && [ -L /dev/stdout ] && [ -L /dev/stderr ]; then cp -P /dev/stdin /dev/stdout /dev/stderr .
  else for f in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/\${f%:*}" "\${f#*:}"; done; fi; } & links=$!
printf %s ${quote(mountTable(plan, place))} >"$r/dev/tty"
mount -n -a -T "$r/dev/tty"
${sshdLines(plan)}${bindLines(plan)}
cd "$r"
mount -n --move . /
${plan.binds.length === 0 ? LINKED : ''}
export PATH=${ROOT_PATH}
unset LC_ALL PWD OLDPWD SHLVL
exec chroot . /bin/sh -c ${quote(initScript(plan.shell !== null))}${plan.shell === null ? '' : ` sh ${quote(plan.shell.login)}`}
`;
}

/** What was made beside the mounts stands. */
const LINKED = 'wait "$links"\nwait $made';

/**
 * An sshd will find its directories there: who makes them in the testbed keeps it waiting for a program. Meanwhile the root
 * is moved, so they have no other name than one from below it. Pure.
 */
function sshdLines({ shell }: SetupPlan): string {
  if (shell === null || shell.directory === null) return 'made=\n';
  return `made=
cd "$r/run"
if [ -x "$r/usr/sbin/sshd" ]; then mkdir sshd ${quote(basename(shell.directory))} & made=$!; fi
`;
}

/** Mounts directories of this machine, which may be below what is still being made. Pure. */
function bindLines({ binds }: SetupPlan): string {
  const lines = binds.map(
    ({ outside, inside }) => `mkdir -p "$r"${quote(inside)}\nmount -n --rbind ${quote(outside)} "$r"${quote(inside)}`,
  );
  return lines.length === 0 ? '' : [LINKED, ...lines].join('\n');
}

/** Devices of this machine that a testbed has. On the last one lies the table until it is mounted over. */
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

/**
 * What is mounted by one mount(8), which takes a tenth of the time of one for each. The table stands in what /dev/tty
 * will be mounted over: there is no other place, and nobody sees it afterwards. Pure.
 */
function mountTable({ only, privateNetwork }: SetupPlan, place: string): string {
  const below = (path: string) => inTable(`${place}${path}`);
  const terminals = `nosuid,noexec,newinstance,ptmxmode=666,mode=620${only === null ? ',gid=5' : ''}`;
  return [
    ['proc', '/proc', 'proc', 'nosuid,nodev,noexec'],
    ...(privateNetwork ? [] : [['/sys', '/sys', 'none', 'rbind']]),
    ['devpts', '/dev/pts', 'devpts', `${terminals},X-mount.mkdir`],
    ['shm', '/dev/shm', 'tmpfs', 'mode=1777,nosuid,nodev,X-mount.mkdir'],
    ['run', '/run', 'tmpfs', 'mode=755,nosuid,nodev'],
    ['lock', '/run/lock', 'tmpfs', 'mode=1777,nosuid,nodev,noexec,size=5m,X-mount.mkdir'],
    ...DEVICES.map((name) => [`/dev/${name}`, `/dev/${name}`, 'none', 'bind']),
  ]
    .map(([what, where = '', type, options]) => `${what} ${below(where)} ${type} ${options} 0 0\n`)
    .join('');
}

/** A path as fstab(5) writes it. Pure. */
function inTable(path: string): string {
  return path.replaceAll(/[ \t\n\\#]/g, octal);
}

/** A character as fstab(5) writes it. */
function octal(character: string): string {
  return `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
}

/** Locks an image's file (flock(2), shared) for as long as the script's process lives. Pure. */
export function lockLines(lock: string): string {
  return `exec 9<${quote(lock)}\nflock --shared 9\n`;
}

/** Exits with {@link IMAGE_GONE} where an image is not there. Once it is locked and there, nobody throws it away. Pure. */
export function presenceLine(image: string): string {
  return `[ -d ${quote(image)} ] || exit ${IMAGE_GONE}\n`;
}

function rootLines(plan: SetupPlan): string {
  const { root, disposable, only, addUser, privateNetwork } = plan;
  const lines = root.kind === 'directory' ? boundLines(root) : [overlayLine(root, plan.userNamespace), ...DEV_LINES];
  if (!disposable) return lines.join('\n');
  // A gid that does not exist cannot be the terminals' either: theirs is the only one there is, under its own name first.
  if (only !== null)
    lines.push(
      `if [ -f "$r/etc/group" ]; then { ${addUser === null ? ':' : `echo '${addUser}:x:${only.gid}:'`}; sed 's/^tty:x:[0-9]*:/tty:x:${only.gid}:/' "$r/etc/group"; } >"$r/etc/group.new"; mv "$r/etc/group.new" "$r/etc/group"; fi`,
    );
  if (addUser !== null) lines.push(addUserLines(addUser, only));
  if (!privateNetwork)
    lines.push(
      'if [ ! -s "$r/etc/resolv.conf" ] && [ -s /etc/resolv.conf ]; then rm -f "$r/etc/resolv.conf"; cat /etc/resolv.conf >"$r/etc/resolv.conf" || :; fi',
    );
  return lines.join('\n');
}

/** What a testbed mounts itself and what mount(8) has a namesake of there already, it would take for done. */
export const OWN_MOUNTS = ['/proc', '/dev', '/run'];

/** Makes the directories that things are mounted on in a root. Pure. */
const PLACES = (root: string) => `set --
for d in proc sys dev run tmp; do [ -d "${root}/$d" ] || set -- "$@" "${root}/$d"; done
[ "$#" = 0 ] || mkdir -p "$@"`;

const DEV_LINES = [PLACES('$r'), 'mount -n -t tmpfs -o mode=755,nosuid dev "$r/dev"'];

/** Binds a directory to "$r" with what is mounted in it, and mounts a /dev there. Pure. */
function boundLines({ path, mountpoint, covered }: RootPlan & { kind: 'directory' }): string[] {
  const bind = `mount -n --rbind ${quote(path)} "$r"`;
  if (path === mountpoint) return [bind, ...DEV_LINES];
  if (covered.length > 0)
    return [bind, `umount -n -l -- ${covered.map((place) => `"$r"${quote(place)}`).join(' ')}`, ...DEV_LINES];
  // One mount(8) for both, by a table in the directory that they are mounted on, which is the run's own.
  const table = [
    `${inTable(path)} ${inTable(mountpoint)} none rbind 0 0`,
    `dev ${inTable(`${mountpoint}/dev`)} tmpfs mode=755,nosuid 0 0`,
  ];
  const lines = `${table.join('\n')}\n`;
  return [`p=${quote(path)}`, PLACES('$p'), `printf %s ${quote(lines)} >"$r/mounts"`, 'mount -n -a -T "$r/mounts"'];
}

/** Mounts an overlay on "$r", or exits with {@link NO_OVERLAY}, or {@link IMAGE_GONE}. Pure. */
export function overlayLine({ lower, upper, work }: RootPlan & { kind: 'overlay' }, userNamespace: boolean): string {
  const places = `lowerdir=${escaped(lower)},upperdir=${escaped(upper)},workdir=${escaped(work)}`;
  return `${presenceLine(lower)}mount -n -t overlay -o ${quote(`${places}${userNamespace ? ',userxattr' : ''}`)} overlay "$r" || exit ${NO_OVERLAY}`;
}

/** Adds an ordinary account to passwd(5) where no other is. What useradd(8) would need of the image may be missing. */
function addUserLines(name: string, only: SetupPlan['only']): string {
  const { uid, gid } = only ?? { uid: 1000, gid: 1000 };
  const matches = only === null ? '[ "$u" -ge 1000 ] && [ "$u" -lt 60000 ]' : `[ "$u" = ${uid} ]`;
  return `have=
if [ -f "$r/etc/passwd" ]; then
  while IFS=: read -r n x u rest; do if [ -n "$u" ] && ${matches}; then have=$n; fi; done <"$r/etc/passwd"
  if [ -z "$have" ]; then
    echo '${name}:x:${uid}:${gid}::/home/${name}:/bin/sh' >>"$r/etc/passwd"
    ${only === null ? `echo '${name}:x:${gid}:' >>"$r/etc/group"` : ':'}
    if [ -f "$r/etc/shadow" ]; then echo '${name}:*:19000:0:99999:7:::' >>"$r/etc/shadow"; fi
    mkdir -p "$r/home/${name}"
    chown ${uid}:${gid} "$r/home/${name}"
  fi
fi`;
}

function networkLines({ privateNetwork }: SetupPlan): string {
  return privateNetwork ? 'ip link set lo up' : ':';
}

/** mount(8) parts options at commas, and overlayfs parts paths at colons. Pure. */
function escaped(path: string): string {
  return path.replaceAll(/[\\:,]/g, '\\$&');
}
