import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startSshServer } from '../test/faults/support/sshServer.ts';
import { unpackedImage } from '../test/support/chroots.ts';
import { debianImage } from '../test/support/images.ts';
import { findProgram } from '../test/support/needs.ts';
import { makePackage } from '../test/support/packages.ts';
import { makePlace, withAccount } from './account.ts';
import { type BenchOptions, byTurns } from './options.ts';
import { type BenchRow, timeRow } from './row.ts';
import { wallTime } from './wallTime.ts';

const trundle = fileURLToPath(new URL('../dist/bin.cjs', import.meta.url));

/** A package with one test on testbeds that autopkgtest has too, and ten such packages. */
export async function rows({ quick }: BenchOptions): Promise<BenchRow[]> {
  if (!existsSync(trundle)) throw new Error('dist/ is empty: npm run build');
  if (process.getuid?.() !== 0) throw new Error('not root: cannot enter a chroot, nor make an account');
  for (const program of ['autopkgtest', 'sshd', 'mmdebstrap']) {
    if (findProgram(program) === null)
      throw new Error(`no ${program} (apt-get install autopkgtest openssh-server mmdebstrap)`);
  }
  const place = makePlace();
  try {
    const rounds = quick ? 3 : 9;
    const source = [makePackage(place, { tests: { passes: 'exit 0' } })];
    const tarball = debianImage();
    // What tests write into it stays, so it is one of our own.
    const root = join(place, 'root');
    execFileSync('cp', ['-a', '--reflink=auto', unpackedImage(tarball), root]);
    const chroot = ['chroot', root];
    // The reference always has a user namespace with subordinate ids.
    const unshare = {
      ours: ['unshare', '--tarball', tarball, '--map', 'subuids'],
      theirs: ['unshare', '--tarball', tarball],
    };
    return [
      await compare('one test on chroot', source, { ours: chroot, theirs: chroot }, rounds, 0.5),
      // The reference unpacks the image each time, which takes long.
      await compare('one test on unshare', source, unshare, quick ? 1 : 3, 0.4),
      await onSsh(source, rounds),
      await tenOnNull(quick ? 1 : 3),
    ];
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** The words of a testbed, for each side. */
interface Words {
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

/** All packages in one call of ours, against one call of autopkgtest for each. */
async function compare(
  name: string,
  sources: readonly string[],
  words: Words,
  rounds: number,
  target: number,
  account?: Parameters<typeof wallTime>[2],
): Promise<BenchRow> {
  const autopkgtest = findProgram('autopkgtest') ?? 'autopkgtest';
  const ours = () => wallTime(process.execPath, [trundle, 'run', '-B', ...sources, '--', ...words.ours], account);
  const theirs = async () => {
    let sum = 0;
    for (const source of sources)
      sum += await wallTime(autopkgtest, ['-B', `${source}/`, '--', ...words.theirs], account);
    return sum;
  };
  // Once before: the image is unpacked, by the first that needs it.
  await ours();
  return timeRow(`${name}, against autopkgtest`, await byTurns(rounds, ours, theirs), target);
}

async function onSsh(sources: readonly string[], rounds: number): Promise<BenchRow> {
  return await withAccount(async (account) => {
    const authorizedKeys = join(account.home, 'authorized_keys');
    await using server = await startSshServer([`AuthorizedKeysFile ${authorizedKeys}`]);
    writeFileSync(authorizedKeys, execFileSync('ssh-keygen', ['-y', '-f', server.identity]));
    chownSync(authorizedKeys, account.uid, account.gid);
    const { host, port } = server.address;
    const way = [
      'ssh',
      '--hostname',
      host,
      '--port',
      String(port),
      '--login',
      account.name,
      '--identity',
      server.identity,
    ];
    const theirs = [...way, '--options', '-F none -o LogLevel=ERROR'];
    const ours = [...way, '--host-key', server.hostKey];
    // autopkgtest leaves it, and that of an account that is gone is in its way.
    const dropWrapper = () => rmSync('/tmp/autopkgtest-run-wrapper', { force: true });
    dropWrapper();
    try {
      return await compare('one test on ssh', sources, { ours, theirs }, rounds, 0.3);
    } finally {
      dropWrapper();
    }
  });
}

async function tenOnNull(rounds: number): Promise<BenchRow> {
  return await withAccount(async (account) => {
    const sources = Array.from({ length: 10 }, (_, index) =>
      makePackage(join(account.home, `p${index}`), { tests: { passes: 'exit 0' } }),
    );
    const words = { ours: ['null'], theirs: ['null'] };
    return await compare('ten packages on null', sources, words, rounds, 0.25, account);
  });
}
