import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { imageDirectory } from './images.ts';
import { findProgram } from './needs.ts';

/** An account of this machine that is not root, made for a test. */
export interface OrdinaryUser extends Disposable {
  readonly login: string;
  readonly home: string;
}

/**
 * Makes it; it goes away with its home directory. Nobody can log in to it by password unless crypt(3)'s form of one
 * is given. Takes root.
 */
export function makeOrdinaryUser({ shell = '/bin/sh', password = '*' } = {}): OrdinaryUser {
  const login = `trundle-${randomBytes(4).toString('hex')}`;
  const home = `/home/${login}`;
  // A star rather than an exclamation mark: sshd without PAM refuses an account that is locked.
  const options = ['--create-home', '--home-dir', home, '--shell', shell, '--password', password];
  run('useradd', [...options, login]);
  return {
    login,
    home,
    [Symbol.dispose]: () => {
      // What its start-up files left running, for one. Status 1: there was nothing.
      spawnSync(findProgram('pkill') ?? 'pkill', ['-KILL', '-U', login], { stdio: 'ignore' });
      run('userdel', ['--force', '--remove', login]);
    },
  };
}

/** One at a time on this machine: useradd(8) and userdel(8) do not wait for each other, but give up. */
function run(program: string, args: readonly string[]): void {
  const words = [join(imageDirectory(), 'users.lock'), findProgram(program) ?? program, ...args];
  execFileSync('flock', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}
