import { text } from 'node:stream/consumers';
import { ownAccount, startProgram } from '../host/index.ts';
import { findAccount, groupsOf, parseAccount } from './accounts.ts';
import type { Account } from './contract.ts';

/** Milliseconds that a directory service may take to tell of an account. */
const LIMIT = 20_000;

/**
 * An account of this machine that this process can become; null where there is none. It is ours, or in /etc/passwd, or
 * wherever else this machine looks (nsswitch.conf(5)), as getent(1) tells.
 */
export async function findOnHost(login: string, ownUid: number): Promise<Account | null> {
  const { listed: _, ...own } = ownAccount();
  if (own.name === login) return own;
  const account = findAccount(login);
  // Our own groups are what they are, whatever group(5) says of them by now.
  if (account?.uid === ownUid) return account;
  if (ownUid !== 0) return null;
  return account === null ? await findElsewhere(login) : { ...account, groups: groupsOf(account) };
}

async function findElsewhere(login: string): Promise<Account | null> {
  // It would be an option.
  if (login.startsWith('-')) return null;
  const account = parseAccount((await printed('getent', ['passwd', login])).trim());
  // getent(1) takes a number for a uid.
  if (account?.name !== login) return null;
  const groups = (await printed('id', ['-G', login])).trim().split(' ').map(Number).filter(Number.isSafeInteger);
  return { ...account, groups };
}

/** What a program prints; nothing where it fails. */
async function printed(program: string, args: readonly string[]): Promise<string> {
  try {
    const signal = AbortSignal.timeout(LIMIT);
    const child = startProgram(program, args, { stdio: ['ignore', 'pipe', 'ignore'], signal });
    // It is missing, or took too long: its output ends.
    child.once('error', () => {});
    return await text(child.stdout);
  } catch {
    return '';
  }
}
