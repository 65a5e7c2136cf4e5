import { findAccount, loginEnvironment, USUAL_LIMITS } from './accounts.ts';
import type { Entry } from './contract.ts';

/** Enters this machine itself. Another user than our own takes root, and setpriv(1) to give root up. */
export function hostEntry(ownUid: number = process.getuid?.() ?? 0): Entry {
  return {
    find(login) {
      const account = findAccount(login);
      return account !== null && (ownUid === 0 || account.uid === ownUid) ? account : null;
    },
    enter(account, argv) {
      const { uid, gid, home: cwd } = account;
      const become =
        uid === ownUid ? [] : ['setpriv', '--reuid', String(uid), '--regid', String(gid), '--init-groups', '--'];
      const limited = ['/bin/sh', '-c', `${USUAL_LIMITS}; exec "$@"`, 'sh', ...argv];
      return { argv: [...become, ...limited], env: loginEnvironment(account), cwd };
    },
  };
}
