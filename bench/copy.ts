import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Loopback, withLoopback } from './loopback.ts';
import { type BenchOptions, byTurns, milliseconds } from './options.ts';
import type { BenchRow } from './row.ts';

const MIB = 1024 * 1024;

/** How fast a great file and many small ones get to the testbed and back, against a tar pipe through OpenSSH. */
export async function rows({ quick }: BenchOptions): Promise<BenchRow[]> {
  const size = quick ? 64 : 1024;
  const files = quick ? 1000 : 20_000;
  // Single rounds differ by half and more; the great file takes seconds each.
  const rounds = quick ? { great: 1, many: 1 } : { great: 7, many: 15 };
  return await withLoopback(async (loopback) => {
    const { home, uid, gid } = loopback.account;
    const great = join(home, 'great');
    const many = join(home, 'many');
    // What is copied, and where to: each direction its own, owned by the account.
    const to = join(home, 'to');
    writeGreatFile(join(great, 'file'), size);
    writeManyFiles(many, files);
    const copy = async (direction: 'down' | 'up', what: 'great' | 'many') => {
      const fresh = () => {
        rmSync(to, { recursive: true, force: true });
        mkdirSync(to);
        chownSync(to, uid, gid);
      };
      const measured = async (work: () => Promise<void>) => {
        fresh();
        return await milliseconds(work);
      };
      return await byTurns(
        rounds[what],
        () =>
          measured(() =>
            ours(
              loopback,
              direction,
              what === 'great' ? `${great}/file` : `${many}/`,
              what === 'great' ? `${to}/file` : `${to}/tree/`,
            ),
          ),
        () => measured(() => reference(loopback, direction, what === 'great' ? great : many, to)),
      );
    };
    const throughput = async (direction: 'down' | 'up', figure: string): Promise<BenchRow> => {
      const time = await copy(direction, 'great');
      const speed = { ours: (size * 1000) / time.ours, reference: (size * 1000) / time.reference };
      const ratio = speed.ours / speed.reference;
      return { figure, ...speed, unit: 'MiB/s', ratio, target: '>= 0.95 x', met: ratio >= 0.95 };
    };
    const duration = async (direction: 'down' | 'up', figure: string): Promise<BenchRow> => {
      const time = await copy(direction, 'many');
      const ratio = time.ours / time.reference;
      return { figure, ...time, unit: 'ms', ratio, target: '<= 1.15 x', met: ratio <= 1.15 };
    };
    return [
      await throughput('down', `copy ${size} MiB to the testbed`),
      await throughput('up', `copy ${size} MiB from the testbed`),
      await duration('down', `copy ${files} files to the testbed`),
      await duration('up', `copy ${files} files from the testbed`),
    ];
  });
}

async function ours({ testbed }: Loopback, direction: 'down' | 'up', from: string, to: string): Promise<void> {
  if (direction === 'down') await testbed.copyDown(from, to);
  else await testbed.copyUp(from, to);
}

async function reference({ pipe }: Loopback, direction: 'down' | 'up', from: string, to: string): Promise<void> {
  const pack = `tar -C ${from} -cf - .`;
  const unpack = `tar -C ${to} -xf -`;
  await pipe(direction === 'down' ? `${pack} | $SSH '${unpack}'` : `$SSH '${pack}' | ${unpack}`);
}

/** Bytes that neither compress nor leave holes. */
function writeGreatFile(file: string, mebibytes: number): void {
  mkdirSync(join(file, '..'));
  const block = randomBytes(MIB);
  const fd = openSync(file, 'w');
  for (let written = 0; written < mebibytes; written++) writeSync(fd, block);
  closeSync(fd);
}

/** Writes files of about 2 KiB each, two hundred to a directory. */
export function writeManyFiles(directory: string, count: number): void {
  const content = randomBytes(4096);
  mkdirSync(directory);
  for (let index = 0; index < count; index++) {
    const parent = join(directory, `d${Math.floor(index / 200)}`);
    if (index % 200 === 0) mkdirSync(parent);
    const fd = openSync(join(parent, `f${index}`), 'w');
    writeSync(fd, content, 0, 1 + ((index * 37) % 4096));
    closeSync(fd);
  }
}
