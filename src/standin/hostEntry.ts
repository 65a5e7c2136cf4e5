import { loginEnvironment, USUAL_LIMITS } from './accounts.ts';
import type { Entry } from './contract.ts';
import { findOnHost } from './findOnHost.ts';

/** Gives the terminal to $1, as sshd does: else whoever runs "$@" could not open it by its name. */
const HAND_OVER = 'chown "$1" "$(tty)"; shift; exec "$@"';

/** Enters this machine itself. Another user than our own takes root, and setpriv(1) to give root up. */
export function hostEntry(ownUid: number = process.getuid?.() ?? 0): Entry {
  return {
    place: { namespaces: [], root: null },
    find: (login) => findOnHost(login, ownUid),
    enter(account, argv, pty) {
      const { uid, gid, home: cwd } = account;
      const become =
        uid === ownUid ? [] : ['setpriv', '--reuid', String(uid), '--regid', String(gid), '--init-groups', '--'];
      const handOver = uid === ownUid || pty === null ? [] : ['/bin/sh', '-c', HAND_OVER, 'sh', String(uid)];
      const limited = ['/bin/sh', '-c', `${USUAL_LIMITS}; exec "$@"`, 'sh', ...argv];
      return { argv: [...handOver, ...become, ...limited], env: loginEnvironment(account), cwd };
    },
  };
}
