import { randomBytes } from 'node:crypto';
import {
  type Account,
  type Entry,
  loginEnvironment,
  type PtyRequest,
  type SessionProcess,
  teller,
  USUAL_LIMITS,
} from '../../../standin/index.ts';
import { BackendError } from '../../contract.ts';
import { askInside, type Enter, QUESTION_LIMIT } from '../enter.ts';
import { quote } from '../quote.ts';
import { ownEnvironment } from '../runProgram.ts';
import { findInside } from './accounts.ts';

/**
 * Goes home, and sees to it that the program leads its own process group, as in a session of sshd: the group is how a
 * command is ended by its pid. The terminal that our own process made belongs to this machine; script(1), which every
 * Debian has, makes one inside, so that it has a name there, its signals reach the program and nobody else, and whoever
 * runs the program may open it. Clients of daemons hand on by and by what size it is to have.
 */
const PROLOGUE = `umask 022; ${USUAL_LIMITS}; cd -- "$1" 2>/dev/null || cd /; unset OLDPWD
line=$2; rows=$3; columns=$4; shift 4
if [ -t 0 ]; then
  [ "$(stty size 2>/dev/null)" != '0 0' ] || stty rows "$rows" cols "$columns"
  case $(script --version 2>/dev/null) in *util-linux*) SHELL=/bin/sh exec script -q -e -c "$line" /dev/null;; esac
elif read -r s 2>/dev/null <"/proc/$$/stat"; then
  s=\${s##*) }; s=\${s#* }; s=\${s#* }
  [ "\${s%% *}" = "$$" ] || { command -v setsid >/dev/null && exec setsid "$@"; }
fi
exec "$@"`;

/** What of a testbed the stand-in needs to know. */
export interface GuestTools {
  /** Path of a setpriv(1) that knows --init-groups; null where the image has none. */
  readonly setpriv: string | null;
  /** Path of a perl(1); null where the image has none. */
  readonly perl: string | null;
  /** The only uid that exists in the testbed; null where all do. */
  readonly onlyUid: number | null;
}

/**
 * The stand-in's way into a testbed: accounts are the testbed's own, and sessions are run by `enter`.
 * @param first an account as it was seen a moment ago: its first login need not ask again
 */
export function guestEntry(enter: Enter, tools: GuestTools, first: Account | null): Entry {
  let known = first;
  const word = `trundle-${randomBytes(12).toString('hex')}`;
  return {
    ...(enter.place === undefined ? {} : { place: enter.place }),
    async find(login) {
      const seen = known?.name === login ? known : null;
      known = null;
      const account = seen ?? (await findInside(enter, login, AbortSignal.timeout(QUESTION_LIMIT)));
      return account !== null && (tools.onlyUid === null || account.uid === tools.onlyUid) ? account : null;
    },
    enter: (account, argv, pty) =>
      pty === null
        ? processFor(enter, tools, account, { argv, word })
        : processFor({ ...enter, ...enter.terminal }, tools, account, { argv, pty }),
    async stands() {
      return (await askInside(enter, 'exit 0', { signal: AbortSignal.timeout(QUESTION_LIMIT) })).status === 0;
    },
  };
}

/** What is run: on a terminal, or told by a word on stderr, which there is nobody's own. */
type Wanted = { readonly argv: readonly string[] } & (
  | { readonly word: string; readonly pty?: undefined }
  | { readonly pty: PtyRequest; readonly word?: undefined }
);

function processFor(enter: Enter, tools: GuestTools, account: Account, { argv, word, pty }: Wanted): SessionProcess {
  const env = { ...loginEnvironment(account), ...(pty === undefined ? {} : { TERM: pty.term }) };
  const { prefix, become } = prefixFor(enter, tools, account);
  const size = [pty?.rows ?? 0, pty?.columns ?? 0].map(String);
  const inside = ['/bin/sh', '-c', PROLOGUE, 'sh', account.home, lineOf(account, argv), ...size, ...argv];
  if (enter.environment === 'passed') return { argv: [...prefix, ...become, ...inside], env, cwd: '/' };
  const handover = ['env', '-i', ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
  // A client tells its own end: by the same statuses where its daemon dies, and without the signals.
  const told = word === undefined ? [] : teller(tools.perl, word);
  return {
    argv: [...prefix, ...told, ...become, ...handover, ...inside],
    // The prefix is a program of this machine: it is looked for here, and finds its daemon by our own environment.
    env: ownEnvironment(),
    cwd: '/',
    ...(word === undefined ? {} : { word }),
    daemon: enter.daemon === true,
  };
}

/** The way in, and what becomes the account there. */
function prefixFor(
  enter: Enter,
  { setpriv, onlyUid }: GuestTools,
  account: Account,
): { prefix: readonly string[]; become: readonly string[] } {
  const { uid, gid, groups } = account;
  if (uid === 0 || onlyUid !== null) return { prefix: enter.argv, become: [] };
  if (setpriv !== null) {
    const all = groups === undefined ? ['--init-groups'] : ['--groups', groups.join(',')];
    return { prefix: enter.argv, become: [setpriv, '--reuid', String(uid), '--regid', String(gid), ...all, '--'] };
  }
  if (enter.as !== undefined) return { prefix: enter.as(account), become: [] };
  throw new BackendError('no-setpriv', `the image has no setpriv that could become ${account.name}`, {
    remedy: 'install util-linux in the image, or openssh-server',
  });
}

/** The program as a line for script(1), which runs it by a shell that is not the account's. Pure. */
function lineOf({ shell }: Account, argv: readonly string[]): string {
  return `SHELL=${quote(shell)}; export SHELL; exec ${argv.map(quote).join(' ')}`;
}
