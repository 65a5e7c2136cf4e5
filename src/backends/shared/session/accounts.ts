import { type Account, parseAccount } from '../../../standin/index.ts';
import { askInside, type Enter } from '../enter.ts';
import { numbersIn, type Survey } from './prepare.ts';

/** Prints the account's line of passwd(5), by NSS where there is getent(1), and the numbers of its groups. */
const FIND = `
getent passwd "$1" 2>/dev/null || while IFS= read -r line; do
  case $line in "$1":*) printf '%s\\n' "$line"; break;; esac
done </etc/passwd
id -G "$1" 2>/dev/null
exit 0
`;

/** Asks a testbed for an account by its name; null where it has none. */
export async function findInside(enter: Enter, login: string, signal: AbortSignal): Promise<Account | null> {
  if (login === '' || login.startsWith('-') || /[:\n\0]/.test(login)) return null;
  const { stdout } = await askInside(enter, FIND, { signal, args: [login] });
  const [line = '', groups = ''] = stdout.split('\n');
  const account = parseAccount(line);
  if (account?.name !== login) return null;
  return withGroups(account, numbersIn(groups));
}

/** The account that a survey of the testbed showed; null where its passwd(5) has none. Pure. */
export function surveyed(login: string, { passwd, groups }: Pick<Survey, 'passwd' | 'groups'>): Account | null {
  const accounts = passwd.split('\n').map(parseAccount);
  const account = accounts.find((each) => each?.name === login) ?? null;
  return account === null ? null : withGroups(account, groups);
}

function withGroups(account: Account, groups: readonly number[]): Account {
  return groups.length === 0 ? account : { ...account, groups };
}

/**
 * The ordinary account that a testbed suggests to tests: the first with a uid of adduser(8)'s range for people and a
 * shell to log in with; null where there is none. Pure.
 * @param passwd the text of its passwd(5)
 * @param onlyUid the one uid that exists in the testbed; null where all do
 */
export function suggestUser(passwd: string, onlyUid: number | null = null): string | null {
  for (const line of passwd.split('\n')) {
    const account = parseAccount(line);
    if (account === null || (onlyUid === null ? account.uid < 1000 || account.uid >= 60_000 : account.uid !== onlyUid))
      continue;
    if (!/\/(nologin|false)$/.test(account.shell)) return account.name;
  }
  return null;
}
