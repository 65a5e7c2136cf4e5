import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../test/support/needs.ts';
import { makePackage } from '../test/support/packages.ts';
import { type BenchAccount, withAccount } from './account.ts';
import { type BenchOptions, byTurns, milliseconds } from './options.ts';
import type { BenchRow } from './row.ts';

const trundle = fileURLToPath(new URL('../dist/bin.js', import.meta.url));

/** How long a person waits before anything happens: for the program itself, and for the smallest of runs. */
export async function rows({ quick }: BenchOptions): Promise<BenchRow[]> {
  if (!existsSync(trundle)) throw new Error('dist/ is empty: npm run build');
  return [await version(quick ? 5 : 31), await smallestRun(quick ? 3 : 15)];
}

async function version(rounds: number): Promise<BenchRow> {
  const figures = await byTurns(
    rounds,
    () => wallTime(process.execPath, [trundle, '--version']),
    () => wallTime(process.execPath, ['-e', '0']),
  );
  return row('trundle --version, against node -e 0', figures, 2.2);
}

async function smallestRun(rounds: number): Promise<BenchRow> {
  const autopkgtest = findProgram('autopkgtest');
  if (autopkgtest === null) throw new Error('no autopkgtest to compare with (apt-get install autopkgtest)');
  return await withAccount(async (account) => {
    const source = makePackage(account.home, { tests: { passes: 'exit 0' } });
    const figures = await byTurns(
      rounds,
      () => wallTime(process.execPath, [trundle, 'run', source, '--', 'null'], account),
      () => wallTime(autopkgtest, ['--no-built-binaries', `${source}/`, '--', 'null'], account),
    );
    return row('one test on null, against autopkgtest', figures, 0.5);
  });
}

function wallTime(program: string, args: readonly string[], account?: BenchAccount): Promise<number> {
  const as =
    account === undefined
      ? {}
      : {
          uid: account.uid,
          gid: account.gid,
          cwd: account.home,
          env: { PATH: '/usr/bin:/bin', HOME: account.home, USER: account.name, LOGNAME: account.name },
        };
  return milliseconds(() => {
    const { status, stderr } = spawnSync(program, args, {
      ...as,
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr.trim()}`);
  });
}

function row(figure: string, { ours, reference }: { ours: number; reference: number }, target: number): BenchRow {
  const ratio = ours / reference;
  return { figure, ours, reference, unit: 'ms', ratio, target: `<= ${target} x`, met: ratio <= target };
}
