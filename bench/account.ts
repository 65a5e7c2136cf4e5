import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Who runs what is measured. */
export interface BenchAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** A directory of its own, in memory where the machine allows: a disk would hide every other difference. */
  readonly home: string;
}

/** A new directory in memory, or in the temporary directory where there is no /dev/shm. */
export function makePlace(): string {
  return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'trundle-bench-'));
}

/**
 * Lends an account whose shell is /bin/sh and whose home is empty. Start-up files of a real account, which bash reads
 * even for a single command from SSH, can take longer than all that is measured. Needs root.
 */
export async function withAccount<T>(use: (account: BenchAccount) => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) throw new Error('not root: cannot make an account without start-up files');
  const home = makePlace();
  const name = `bench${process.pid}`;
  try {
    execFileSync('useradd', ['--no-create-home', '--home-dir', home, '--shell', '/bin/sh', '--password', '*', name]);
    try {
      const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
      const account = { name, uid: id('-u'), gid: id('-g'), home };
      chownSync(home, account.uid, account.gid);
      chmodSync(home, 0o755);
      return await use(account);
    } finally {
      // By force: a session that has just been ended may not be gone yet.
      execFileSync('userdel', ['--force', name], { stdio: 'ignore' });
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
