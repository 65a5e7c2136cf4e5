import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { TRUNDLE } from '../../runner/support/sides.ts';

/** What a run came to, as far as two programs can be compared. */
export interface Verdict {
  readonly exitCode: number;
  readonly summary: readonly string[];
  /** Names of what is in the output directory. */
  readonly files: readonly string[];
}

/**
 * Files that only one of both writes: our trace, results and report; debug symbols, which 6.0 does not build either; and
 * the copy of debian/control by which the reference looked for build dependencies.
 */
const OWN_FILES = /^(trace\/|results\.json$|report\.html$|apt-control$|binaries\/.*-dbgsym\.deb$)/;

/** Tests with Trundle of this tree. @param words options and sources @param cwd where it is started; here if absent */
export function ours(
  name: string,
  directory: string,
  words: readonly string[],
  backend: readonly string[],
  cwd?: string,
): Promise<Verdict> {
  return run(path.join(directory, name), TRUNDLE, words, backend, cwd);
}

/**
 * schroot(1) looks at each file of each chroot and session that it finds listed, and warns of one that has gone in
 * between. autopkgtest takes the warning for a failure of the testbed. So it sees only its own chroot, named by the
 * first argument, and its own sessions: those of test files that run meanwhile come and go.
 */
const ALONE = `file=/etc/schroot/chroot.d/$1
shift
keys=$(cat "$file")
mount -t tmpfs none "\${file%/*}"
mount -t tmpfs none /var/lib/schroot/session
printf '%s\\n' "$keys" >"$file"
exec "$@"`;

/** Tests with Debian's autopkgtest. */
export function theirs(
  directory: string,
  words: readonly string[],
  backend: readonly string[],
  cwd?: string,
): Promise<Verdict> {
  const [kind, chroot = ''] = backend;
  const alone = kind === 'schroot' ? ['unshare', '--mount', 'sh', '-ec', ALONE, 'sh', chroot] : [];
  return run(path.join(directory, 'theirs'), [...alone, 'autopkgtest'], words, backend, cwd);
}

/** Output goes to a file: Node's pipes are sockets, which autopkgtest's `tee /dev/stderr` cannot open. */
async function run(
  output: string,
  program: readonly string[],
  words: readonly string[],
  backend: readonly string[],
  cwd?: string,
): Promise<Verdict> {
  const said = openSync(`${output}.said`, 'w');
  const [name = '', ...first] = program;
  const child = spawn(name, [...first, '-o', output, ...words, '--', ...backend], {
    stdio: ['ignore', said, said],
    env: { ...process.env, XDG_STATE_HOME: `${output}.state` },
    ...(cwd === undefined ? {} : { cwd }),
  });
  closeSync(said);
  const [exitCode] = await once(child, 'close');
  if (!existsSync(path.join(output, 'summary'))) {
    throw new Error(`${name} left no summary: ${readFileSync(`${output}.said`, 'utf8')}`);
  }
  const files = readdirSync(output, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(output, path.join(entry.parentPath, entry.name)))
    .filter((file) => !OWN_FILES.test(file))
    // Since 5.53 each test has its own directory of artifacts.
    .map((file) => (program === TRUNDLE ? file.replace(/^artifacts\/[^/]+\//, 'artifacts/') : file));
  return { exitCode, summary: summaryOf(path.join(output, 'summary')), files: files.sort() };
}

/** Lines of the summary without what Trundle says beyond autopkgtest's words; what 5.28 says twice counts once. */
function summaryOf(file: string): string[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return [...new Set(lines.map((line) => line.replace(/((?:rules \w+ failed with exit code \d+)) \(.*\)$/, '$1')))];
}
