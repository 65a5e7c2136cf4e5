import { readFileSync } from 'node:fs';
import type { Account } from './contract.ts';

/** Looks an account up in /etc/passwd; null where there is none. */
export function findAccount(login: string, passwd = readFileSync('/etc/passwd', 'utf8')): Account | null {
  for (const line of passwd.split('\n')) {
    const account = parseAccount(line);
    if (account?.name === login) return account;
  }
  return null;
}

/** The numbers of the groups of a user, as group(5) has them, his own first. Pure. */
export function groupsOf({ name, gid }: Account, group = readFileSync('/etc/group', 'utf8')): number[] {
  const others = group.split('\n').flatMap((line) => {
    const [, , number, members = ''] = line.split(':');
    return members.split(',').includes(name) ? [Number(number)] : [];
  });
  return [...new Set([gid, ...others])];
}

/** Reads a line of passwd(5); null where it is none. Pure. */
export function parseAccount(line: string): Account | null {
  const [name, , uid, gid, , home, shell] = line.split(':');
  if (name === undefined || name === '' || uid === undefined || gid === undefined) return null;
  return { name, uid: Number(uid), gid: Number(gid), home: home || '/', shell: shell || '/bin/sh' };
}

/** Where root's programs are looked for, as login(1) and sshd have it on Debian. */
export const ROOT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The environment that sshd gives to a session (sshd(8), LOGIN PROCESS), with its default PATH. Pure. */
export function loginEnvironment(account: Account): Record<string, string> {
  const path = account.uid === 0 ? ROOT_PATH : '/usr/local/bin:/usr/bin:/bin:/usr/games';
  const { name, home, shell } = account;
  return { USER: name, LOGNAME: name, HOME: home, PATH: path, SHELL: shell };
}

/**
 * A line of shell that puts the limit of open files back to the kernel's own, as pam_limits does for a session: Node.js
 * raises that of its process, and whom it starts inherits it. Programs that close all they may have open take long else,
 * and some that use select(2) fail.
 */
export const USUAL_LIMITS = 'ulimit -S -n 1024 2>/dev/null';
