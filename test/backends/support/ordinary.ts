import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeOrdinaryUser } from '../../support/ordinaryUser.ts';

const project = fileURLToPath(new URL('../../..', import.meta.url));

/** What the program consists of: dist/code has its libraries too, but for what is compiled of ssh2, where that was built. */
const PARTS = [
  'package.json',
  'dist/bin.cjs',
  'dist/code',
  'node_modules/ssh2/lib/protocol/crypto/build/Release/sshcrypto.node',
];

/** How the program ended. */
interface End {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An ordinary user of this machine with a copy of the program, as they would run it. */
export interface Ordinary extends Disposable {
  readonly login: string;
  readonly uid: number;
  /** A directory of theirs. */
  readonly home: string;
  /** Their TMPDIR, where testbeds are made. */
  readonly temporary: string;
  /**
   * Starts the program; it is ended with the test at the latest by its own deadlines.
   * @param as the beginning of a command line that makes root the user; absent: by setuid(2), and no more
   */
  run(words: readonly string[], env?: Readonly<Record<string, string>>, as?: readonly string[]): Promise<End>;
}

/** Makes the user. Takes root. */
export function makeOrdinary(options: { subuids: boolean }): Ordinary {
  const user = makeOrdinaryUser();
  const id = (flag: string) => Number(execFileSync('id', [flag, user.login], { encoding: 'utf8' }));
  const [uid, gid] = [id('-u'), id('-g')];
  if (!options.subuids)
    for (const file of ['/etc/subuid', '/etc/subgid']) execFileSync('sed', ['-i', `/^${user.login}:/d`, file]);
  const directory = mkdtempSync(join(tmpdir(), 'trundle-ordinary-'));
  for (const name of PARTS.filter((each) => existsSync(join(project, each))))
    cpSync(join(project, name), join(directory, name), { recursive: true });
  const temporary = join(directory, 'tmp');
  mkdirSync(temporary);
  execFileSync('chmod', ['-R', 'a+rX', directory]);
  chownSync(temporary, uid, gid);
  return {
    login: user.login,
    uid,
    home: user.home,
    temporary,
    async run(words, env = {}, as = []) {
      const { PATH = '' } = process.env;
      const [program = '', ...args] = [...as, process.execPath, join(directory, 'dist/bin.cjs'), ...words];
      const child = spawn(program, args, {
        ...(as.length === 0 ? { uid, gid } : {}),
        cwd: user.home,
        env: { PATH, HOME: user.home, USER: user.login, LOGNAME: user.login, TMPDIR: temporary, NO_COLOR: '1', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const said = { stdout: '', stderr: '' };
      for (const stream of ['stdout', 'stderr'] as const)
        child[stream].setEncoding('utf8').on('data', (text: string) => {
          said[stream] += text;
        });
      const [status] = (await once(child, 'close')) as [number | null];
      return { status, ...said };
    },
    [Symbol.dispose]() {
      rmSync(directory, { recursive: true, force: true });
      user[Symbol.dispose]();
    },
  };
}
