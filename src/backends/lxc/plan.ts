import { BackendError } from '../contract.ts';
import type { Enter, UserIds } from '../shared/enter.ts';
import { overlayLine } from '../shared/namespaces/setupScript.ts';
import type { OverlayFiles } from '../shared/outer/OverlayFiles.ts';
import { outerScript } from '../shared/outer/outerScript.ts';
import { type ContainerPlan, type Place, REBOOTED } from '../shared/outer/plan.ts';
import { quote } from '../shared/quote.ts';
import { explainStart } from './explain.ts';
import type { LxcOptions } from './options.ts';

/** What lxc-start(1) is told, wherever the container's files come from. */
export interface LxcPlan {
  readonly options: LxcOptions;
  readonly name: string;
  /** The container's directory is in it; with its name it is what liblxc knows a running container by. */
  readonly lxcpath: string;
  /** Our own directory in the outer namespaces. */
  readonly scratch: string;
  /** Lines before it is started. */
  readonly mounts: string;
  readonly lock: string | null;
  /** Words that name its configuration. */
  readonly configured: readonly string[];
}

/** Options that would take a container out of our hands. */
const OURS = /^(--(name|lxcpath|daemon|foreground|rcfile|pidfile|help|usage|version)(=|$)|-[nPdFfph?])/;

/**
 * A container over an image, which needs nothing of this machine's LXC but its programs: its configuration is of our
 * own, in a /run of our own. Pure.
 */
export function imagePlan(options: LxcOptions, files: OverlayFiles, name: string, cgroup: string): ContainerPlan {
  const { root, lock } = files;
  const mounts = `r=${quote(root.mountpoint)}
${overlayLine(root, false)}
mount -n -t proc -o nosuid,nodev,noexec proc /proc
mount -n -t tmpfs -o mode=755,nosuid,nodev run /run
cat >/run/config <<'EOF'
lxc.include = /usr/share/lxc/config/common.conf
lxc.apparmor.profile = unconfined
lxc.net.0.type = empty
lxc.uts.name = ${name}
lxc.rootfs.path = dir:${root.mountpoint}
EOF`;
  // Nothing is kept there: it tells this container from all others.
  const lxcpath = root.mountpoint;
  const configured = ['--rcfile=/run/config'];
  return lxcPlan({ options, name, lxcpath, scratch: '/run', mounts, lock, configured }, cgroup);
}

/** A container that is there, as its own configuration says. Pure. */
export function containerPlan(
  options: LxcOptions,
  { name, lxcpath, scratch }: { name: string; lxcpath: string; scratch: string },
  cgroup: string,
): ContainerPlan {
  const mounts = `mount -n -t proc -o nosuid,nodev,noexec proc /proc
mkdir -p ${quote(scratch)}
mount -n -t tmpfs -o mode=755,nosuid,nodev run ${quote(scratch)}`;
  return lxcPlan({ options, name, lxcpath, scratch, mounts, lock: null, configured: [] }, cgroup);
}

/** Before anything is made of the template. Pure. @throws BackendError `usage` where an argument is not for the user to give */
export function checkArgs({ args }: LxcOptions): void {
  const wrong = args.find((word) => OURS.test(word));
  if (wrong === undefined) return;
  throw new BackendError('usage', `${wrong} is not for the testbed's user to say: trundle says it to lxc-start`, {
    remedy: wrong.startsWith('-n') || wrong.startsWith('--name') ? 'give --name before the template' : 'leave it out',
  });
}

/**
 * lxc-start(1) would start a container that reboots again by itself. A hook that fails has it end instead, and leaves
 * word: then it is started again by us, or it was nobody's wish. Pure.
 */
function lxcPlan(
  { options, name, lxcpath, scratch, mounts, lock, configured }: LxcPlan,
  cgroup: string,
): ContainerPlan {
  const place = (file: string) => `${scratch}/${file}`;
  const argv = [
    'lxc-start',
    '--foreground',
    `--name=${name}`,
    `--lxcpath=${lxcpath}`,
    ...configured,
    // What its children say before they run the init goes nowhere else.
    ...(options.debug ? [`--logfile=${place('console')}`, '--logpriority=DEBUG'] : [`--logfile=${place('log')}`]),
    `--define=lxc.console.logfile=${place('console')}`,
    `--define=lxc.hook.post-stop=/bin/sh ${place('stopped')}`,
    ...options.args,
  ];
  const hook = `[ "$LXC_TARGET" != reboot ] || { : >${quote(place('rebooted'))}; exit 1; }`;
  const [rebooted, log] = [quote(place('rebooted')), quote(place('log'))];
  return {
    argv,
    script: outerScript({
      lock,
      mounts: `${mounts}
echo ${quote(hook)} >${quote(place('stopped'))}
mkfifo ${quote(place('console'))}
cat <>${quote(place('console'))} 3>&- 9>&- &`,
      scratch,
      cgroup,
      // liblxc takes it for what it is on a machine of systemd, and puts the container beside it, not below.
      supervisors: '/init.scope',
      run: `rm -f ${rebooted} ${log}
${argv.map(quote).join(' ')}
s=$?
[ ! -e ${log} ] || cat ${log} >&2
[ ! -e ${rebooted} ] || s=${REBOOTED}
(exit $s)`,
    }),
    boot: true,
    enter: (outer) => wayInto(outer, name, lxcpath),
    explain: (end) => explainStart(end, options.template),
  };
}

/**
 * lxc-attach(1) that sees a terminal makes another in the container, and leaves it to both to end a line by a carriage
 * return (ONLCR of termios(3)). So it sees none, and hands ours on as a further descriptor; what it says itself comes last.
 */
const UNSEEN = 'said=$("$@" 3<&0 </dev/null 2>&1 >/dev/null); s=$?; [ -z "$said" ] || echo "$said" >&2; exit $s';

/** The other end, inside. */
const SEEN = 'exec "$@" <&3 >&3 2>&3 3>&-';

/** lxc-attach(1) must see what lxc-start(1) sees. Namespaces are named by open descriptors, so that no other's are meant. */
function wayInto({ outer, keep }: Place, name: string, lxcpath: string): Enter {
  const mount = keep(`/proc/${outer}/ns/mnt`, 'r');
  const pid = keep(`/proc/${outer}/ns/pid`, 'r');
  const attach = (...who: string[]) => [
    ...['nsenter', `--mount=${mount}`, `--pid=${pid}`, '--', 'lxc-attach', '--clear-env'],
    ...[`--name=${name}`, `--lxcpath=${lxcpath}`, ...who, '--'],
  ];
  const as = ({ uid, gid }: UserIds) => attach(`--uid=${uid}`, `--gid=${gid}`);
  const onTerminal = (argv: readonly string[]) => ['sh', '-c', UNSEEN, 'sh', ...argv, '/bin/sh', '-c', SEEN, 'sh'];
  return {
    argv: attach(),
    environment: 'dropped',
    terminal: { argv: onTerminal(attach()), as: (user) => onTerminal(as(user)) },
    as,
  };
}
