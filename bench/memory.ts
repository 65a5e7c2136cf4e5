import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchOptions } from './options.ts';
import type { BenchRow } from './row.ts';

const LIMIT = 100;

/** How much heap a testbed takes that is up and runs a command, where many are alive: real machines, simulated edges. */
export async function rows({ quick }: BenchOptions): Promise<BenchRow[]> {
  const count = quick ? 100 : 1000;
  const program = fileURLToPath(new URL('children/manyTestbeds.ts', import.meta.url));
  const args = ['--expose-gc', '--import', 'tsx', program, String(count)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 120_000 });
  const ours = (JSON.parse(stdout) as { bytes: number }).bytes / 1000;
  return [
    {
      figure: `heap of each of ${count} testbeds`,
      ours,
      // There is nothing to compare with: the reference is the limit itself.
      reference: LIMIT,
      unit: 'KB',
      ratio: ours / LIMIT,
      target: `<= ${LIMIT} KB`,
      met: ours <= LIMIT,
    },
  ];
}
