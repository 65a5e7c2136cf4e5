import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../test/support/needs.ts';
import { makePackage } from '../test/support/packages.ts';
import { withAccount } from './account.ts';
import { type BenchOptions, byTurns } from './options.ts';
import { type BenchRow, timeRow } from './row.ts';
import { wallTime } from './wallTime.ts';

const trundle = fileURLToPath(new URL('../dist/bin.cjs', import.meta.url));

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
  return timeRow('trundle --version, against node -e 0', figures, 2.2);
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
    return timeRow('one test on null, against autopkgtest', figures, 0.5);
  });
}
