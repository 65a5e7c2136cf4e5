import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { configureBackend, openTestbed, type Testbed } from '../src/index.ts';
import { defineChroot, unpackedImage } from '../test/support/chroots.ts';
import { debianImage } from '../test/support/images.ts';
import { findProgram } from '../test/support/needs.ts';
import { makePlace } from './account.ts';
import { comeAndGo } from './comeAndGo.ts';
import { writeManyFiles } from './copy.ts';
import { type BenchOptions, byTurns, milliseconds } from './options.ts';
import type { BenchRow } from './row.ts';
import { VirtServer } from './virtServer.ts';

/** Megabytes of memory that a testbed of unshare may take, with all its processes. */
const LIMIT = 25;

/** How fast testbeds that share this machine's kernel come, obey and go, against Debian's programs for the same. */
export async function rows({ quick }: BenchOptions): Promise<BenchRow[]> {
  if (process.getuid?.() !== 0) throw new Error('not root: cannot enter a chroot');
  const programs = [
    'schroot',
    'mmdebstrap',
    ...['unshare', 'schroot', 'chroot'].map((name) => `autopkgtest-virt-${name}`),
  ];
  for (const program of programs) {
    if (findProgram(program) === null)
      throw new Error(`no ${program} (apt-get install autopkgtest schroot mmdebstrap)`);
  }
  const tarball = debianImage();
  const root = unpackedImage(tarball);
  const place = makePlace();
  using chroot = defineChroot(() => ({ type: 'directory', directory: root, 'union-type': 'overlay' }));
  try {
    // What tests write into it stays, so it is one of our own.
    const own = join(place, 'root');
    execFileSync('cp', ['-a', '--reflink=auto', root, own]);
    // The reference always has a user namespace with subordinate ids.
    const unshare = ['unshare', '--tarball', tarball, '--map', 'subuids'];
    const virt = {
      unshare: ['autopkgtest-virt-unshare', '--tarball', tarball],
      schroot: ['autopkgtest-virt-schroot', chroot.name],
      chroot: ['autopkgtest-virt-chroot', own],
    };
    const standIn = ['--session', 'stand-in'];
    // Most take a fraction of a second, of which a busy moment may be a third; the reference's unshare unpacks each time.
    const each = (name: string, ours: readonly string[], reference: readonly string[], target: number, rounds = 9) =>
      comeAndGo({ name, ours, reference, rounds: quick ? rounds / 3 : rounds, target });
    return [
      await each('unshare', unshare, virt.unshare, 0.3, 3),
      await each('unshare, by the stand-in', [...unshare, ...standIn], virt.unshare, 0.3, 3),
      await each('schroot, by its sshd', ['schroot', chroot.name], virt.schroot, 0.7),
      await each('schroot, by the stand-in', ['schroot', chroot.name, ...standIn], virt.schroot, 0.7),
      await each('chroot, by its sshd', ['chroot', own, '--session', 'login'], virt.chroot, 2),
      await each('chroot, by the stand-in', ['chroot', own, ...standIn], virt.chroot, 1.2),
      await eachCommand('unshare', unshare, virt.unshare, quick ? 5 : 100),
      await eachCommand('unshare, by the stand-in', [...unshare, ...standIn], virt.unshare, quick ? 5 : 100),
      // Before the many files: once tens of thousands of files were deleted, ext4 looks long for free inodes for some
      // seconds, which whoever makes files next would pay for.
      ...(await manyTestbeds(unshare, quick ? 5 : 20)),
      ...(await manyFiles(unshare, virt.unshare, place, quick)),
    ];
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function open(words: readonly string[]): Promise<Testbed> {
  return await openTestbed(await configureBackend(words));
}

async function comeAndGoOnce(words: readonly string[]): Promise<void> {
  await using testbed = await open(words);
  await succeed(testbed);
}

async function succeed(testbed: Testbed): Promise<void> {
  const { status } = await testbed.exec(['true']);
  if (status !== 0) throw new Error(`true ended with ${status}`);
}

async function eachCommand(
  name: string,
  ours: readonly string[],
  reference: readonly string[],
  times: number,
): Promise<BenchRow> {
  await using testbed = await open(ours);
  const server = await VirtServer.open(reference);
  const figures = await byTurns(
    times,
    () => milliseconds(() => succeed(testbed)),
    () => milliseconds(() => server.exec(['true'])),
  );
  await server.close();
  return row(`${name}: one command on an open testbed`, figures, 0.15);
}

async function manyFiles(
  ours: readonly string[],
  reference: readonly string[],
  place: string,
  quick: boolean,
): Promise<BenchRow[]> {
  const count = quick ? 1000 : 20_000;
  const rounds = quick ? 1 : 5;
  const many = join(place, 'many');
  const back = join(place, 'back');
  writeManyFiles(many, count);
  await using testbed = await open(ours);
  const server = await VirtServer.open(reference);
  // A directory of its own for each copy, and nothing is deleted meanwhile: ext4 looks long for free inodes where many
  // were deleted in the last minutes.
  let copies = 0;
  const fresh = (root: string) => join(root, `many${++copies}`);
  const mine: string[] = [];
  const theirs: string[] = [];
  const down = await byTurns(
    rounds,
    () => {
      const to = fresh('/tmp');
      mine.push(to);
      return milliseconds(() => testbed.copyDown(`${many}/`, `${to}/`));
    },
    () => {
      const to = fresh(server.scratch);
      theirs.push(to);
      return milliseconds(() => server.say('copydown', `${many}/`, `${to}/`));
    },
  );
  const emptied = async (copy: () => Promise<unknown>) => {
    rmSync(back, { recursive: true, force: true });
    mkdirSync(back);
    return await milliseconds(copy);
  };
  const up = await byTurns(
    rounds,
    () => emptied(() => testbed.copyUp(`${mine[0]}/`, `${back}/`)),
    () => emptied(() => server.say('copyup', `${theirs[0]}/`, `${back}/`)),
  );
  await server.close();
  return [row(`unshare: ${count} files to it`, down, 1), row(`unshare: ${count} files from it`, up, 1)];
}

/** Many at once, against as many one after another, and the memory that each takes. */
async function manyTestbeds(words: readonly string[], count: number): Promise<BenchRow[]> {
  const before = memoryOfAll();
  let each = 0;
  const atOnce = await milliseconds(async () => {
    const testbeds = await Promise.all(Array.from({ length: count }, () => open(words)));
    await Promise.all(testbeds.map(succeed));
    each = (memoryOfAll() - before) / count;
    await Promise.all(testbeds.map((testbed) => testbed.close()));
  });
  const one = await milliseconds(async () => {
    for (let index = 0; index < count; index++) await comeAndGoOnce(words);
  });
  const memory = { figure: `unshare: memory of each of ${count} testbeds at once`, ours: each, reference: LIMIT };
  return [
    row(`unshare: ${count} testbeds at once, against one after another`, { ours: atOnce, reference: one }, 1),
    // There is nothing to compare with: the reference is the limit itself.
    { ...memory, unit: 'MB', ratio: each / LIMIT, target: `<= ${LIMIT} MB`, met: each <= LIMIT },
  ];
}

/** Megabytes of this process and all its descendants; what several share counts once. */
function memoryOfAll(): number {
  const parents = new Map<number, number>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const stat = read(`/proc/${pid}/stat`);
    parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const isOurs = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === process.pid || isOurs(parents.get(pid)));
  const kilobytes = [...parents.keys()]
    .filter(isOurs)
    .map((pid) => Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0));
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1000;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // It has just ended.
    return '';
  }
}

function row(figure: string, { ours, reference }: { ours: number; reference: number }, target: number): BenchRow {
  const ratio = ours / reference;
  return { figure, ours, reference, unit: 'ms', ratio, target: `<= ${target} x`, met: ratio <= target };
}
