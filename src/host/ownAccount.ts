import { userInfo } from 'node:os';

/** Who this process is, as passwd(5) would tell. */
export interface OwnAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
  /** Whether this machine knows of it. */
  readonly listed: boolean;
}

/**
 * The account of this process, from wherever this machine keeps accounts (nsswitch.conf(5)). A container may be run as any
 * number: who has no account is called by theirs, and is at home where HOME says.
 */
export function ownAccount(): OwnAccount {
  try {
    const { username: name, uid, gid, homedir, shell } = userInfo();
    return { name, uid, gid, home: homedir || '/', shell: shell || '/bin/sh', listed: true };
  } catch (error) {
    // Node reads passwd(5) by libuv, which says so with an errno of its own.
    if ((error as { info?: { code?: string } }).info?.code !== 'ENOENT') throw error;
    const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    return { name: String(uid), uid, gid, home: process.env.HOME || '/', shell: '/bin/sh', listed: false };
  }
}

/** The directory for what is this user's: HOME, where it is set, as everywhere. */
export function homeDirectory(): string {
  return process.env.HOME || ownAccount().home;
}
