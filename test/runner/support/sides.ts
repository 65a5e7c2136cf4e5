import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makePackage, type PackageSpec } from './packages.ts';

/** What only Trundle writes besides its trace: results, and the page of a run that failed. */
const OWN_FILES: ReadonlySet<string> = new Set(['results.json', 'report.html']);

/** A package, and how it is tested, for both sides alike. */
export interface Case extends PackageSpec {
  readonly name: string;
  /** Seconds that a test may run. */
  readonly timeout?: number;
  readonly env?: readonly string[];
  readonly only?: readonly string[];
  readonly without?: readonly string[];
  readonly user?: string;
  readonly lang?: string;
  readonly parallel?: number;
  readonly ignoreRestrictions?: readonly string[];
  readonly skipInternet?: boolean;
  /** Other options; SOURCE stands for the package's directory. */
  readonly options?: readonly string[];
}

/** What two runs are compared by. */
export interface Observed {
  readonly exitCode: number;
  readonly summary: readonly string[];
  /** Path by path; null for a file whose content is not compared. */
  readonly files: Readonly<Record<string, string | null>>;
  /** The runner's own lines about the package and its tests, in order. */
  readonly steps: readonly string[];
  /** All that was printed on stdout: what tests print there, and results. */
  readonly stdout: string;
}

/** Seconds that either may take: several run at once, where a machine may have one slow processor for each two of them. */
const PATIENCE = 250;

/** Files whose content depends on time, path or release. The log of 5.28 has gaps where two of its writers meet. */
const UNCOMPARED = /^(log|summary|testinfo\.json|testbed-packages)$/;

/** A new directory for packages and results; not in /tmp, of which each side has its own. */
export function newPlace(): string {
  return mkdtempSync('/var/tmp/trundle-differential-');
}

/** Where a package is tested: a script for the mounts that both run in, and the words of the testbed. */
export interface Place {
  readonly box: string;
  readonly server: readonly string[];
}

/** Tests a package with both. */
export async function bothSides(
  directory: string,
  test: Case,
  { box, server }: Place = { box: HOUSE, server: ['null'] },
): Promise<{ theirs: Observed; mine: Observed }> {
  const source = makePackage(directory, test.name, test);
  const [theirs, mine] = await Promise.all([
    reference(directory, test, source, box, server),
    ours(directory, test, source, box, server),
  ]);
  return { theirs, mine };
}

/** Debian's autopkgtest. */
export async function reference(
  directory: string,
  test: Case,
  source: string,
  box = HOUSE,
  server: readonly string[] = ['null'],
): Promise<Observed> {
  const output = freshOutput(directory, `${test.name}-theirs`);
  const ended = await start(
    box,
    ['autopkgtest', '-B', ...optionsOf(test, source), '-o', output, source, '--', ...server],
    `${output}.said`,
  );
  if (!existsSync(path.join(output, 'summary'))) throw new Error(`autopkgtest left no summary: ${ended.stderr}`);
  return observe(output, ended, source);
}

/** Where a side writes to: nothing is there of a try before, which either would refuse. */
function freshOutput(directory: string, name: string): string {
  const output = path.join(directory, name);
  rmSync(output, { recursive: true, force: true });
  return output;
}

/** Trundle, as a user starts it. */
export async function ours(
  directory: string,
  test: Case,
  source: string,
  box = HOUSE,
  server: readonly string[] = ['null'],
): Promise<Observed> {
  const output = freshOutput(directory, `${test.name}-ours`);
  const ended = await start(
    box,
    [...TRUNDLE, '-B', ...optionsOf(test, source), '-o', output, source, '--', ...server],
    `${output}.said`,
  );
  if (!existsSync(path.join(output, 'summary'))) throw new Error(`trundle left no summary: ${ended.stderr}`);
  return observe(output, ended, source);
}

/** `trundle run` of this tree. */
export const TRUNDLE: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../../../dist/bin.cjs', import.meta.url)),
  'run',
];

/** How a program ended, and what it printed. */
export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * What both run in: mounts of their own in which root's profile is empty, since both read it and nobody knows what it
 * does, /tmp is empty, since autopkgtest keeps a file with a fixed name there, and there is an ordinary user `tester`.
 */
export const HOUSE = `for file in .profile .bashrc .bash_profile .bash_login; do
  if [ -e ~root/$file ]; then mount --bind /dev/null ~root/$file; fi
done
mount -t tmpfs -o mode=1777 none /tmp
mount -t tmpfs none /mnt
mkdir /mnt/etc /mnt/etc-work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/etc,workdir=/mnt/etc-work /etc
echo tester:x:64242:64242::/nonexistent:/bin/bash >>/etc/passwd
echo tester:x:64242: >>/etc/group
echo 'tester:*:20000::::::' >>/etc/shadow`;

/**
 * A script after which apt below a root knows of nothing but what is installed there: no sample needs more, and the
 * reference reads the whole archive's lists several times for each dependency that cannot be had.
 */
export const withoutArchive = (root: string): string => `rm -rf ${root}/var/lib/apt/lists/* ${root}/var/cache/apt/*.bin
rm -f ${root}/etc/apt/sources.list.d/*
: >${root}/etc/apt/sources.list`;

/**
 * Runs a program in mounts and among processes of its own, which end with it. It writes to files, not to pipes: Node's pipes are sockets, and autopkgtest's
 * `tee /dev/stderr` cannot open one.
 * @param box a shell script that changes the mounts
 * @param said where its output goes, as the beginning of file names
 */
export async function start(box: string, words: readonly string[], said: string): Promise<Ended> {
  const files = [`${said}.stdout`, `${said}.stderr`];
  const descriptors = files.map((file) => openSync(file, 'w'));
  const enter = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const script = `${box}\nset +e\n"$@"\nexit $?`;
  const child = spawn('timeout', ['-k', '5', String(PATIENCE), ...enter, 'sh', '-ec', script, 'sh', ...words], {
    stdio: ['ignore', ...descriptors],
    env: { ...process.env, XDG_STATE_HOME: `${said}.state` },
  });
  for (const descriptor of descriptors) closeSync(descriptor);
  const [exitCode, signal] = await once(child, 'close');
  if (signal !== null || exitCode === 124) throw new Error(`still there after ${PATIENCE} seconds: ${words.join(' ')}`);
  const [stdout = '', stderr = ''] = files.map((file) => readFileSync(file, 'utf8'));
  return { exitCode, stdout, stderr };
}

function optionsOf(test: Case, source: string): string[] {
  return [
    ...(test.timeout === undefined ? [] : [`--timeout-test=${test.timeout}`]),
    ...(test.env ?? []).map((assignment) => `--env=${assignment}`),
    ...(test.only ?? []).map((name) => `--test-name=${name}`),
    ...(test.without ?? []).map((name) => `--skip-test=${name}`),
    ...(test.user === undefined ? [] : [`--user=${test.user}`]),
    ...(test.lang === undefined ? [] : [`--set-lang=${test.lang}`]),
    ...(test.parallel === undefined ? [] : [`--build-parallel=${test.parallel}`]),
    ...(test.ignoreRestrictions === undefined ? [] : [`--ignore-restrictions=${test.ignoreRestrictions.join(',')}`]),
    ...(test.skipInternet ? ['--needs-internet=skip'] : []),
    ...(test.options ?? []).map((option) => option.replaceAll('SOURCE', source)),
  ];
}

function observe(directory: string, { exitCode, stdout, stderr }: Ended, source: string): Observed {
  const read = (name: string) => readFileSync(path.join(directory, name), 'utf8');
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)));
  const summary = alike(read('summary'), source);
  const noTestbed = summary.some((line) => line.startsWith('badpkg: InvalidControl'));
  return {
    exitCode,
    summary: onlyOnce(summary, /.* SKIP /),
    files: Object.fromEntries(
      names
        // Without a control file that makes sense, Trundle opens no testbed.
        .filter(
          (name) => !name.startsWith('trace/') && !OWN_FILES.has(name) && !(noTestbed && name === 'testbed-packages'),
        )
        .map((name) => [name, UNCOMPARED.test(name) ? null : alike(read(name), source).join('\n')] as const)
        // Since 5.53 each test has its own directory of artifacts.
        .map(([name, content]) => [name.replace(/^artifacts\/only\//, 'artifacts/'), content] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    steps: fromHeading(alike(stderr, source)).filter((line) => line.startsWith('autopkgtest')),
    stdout: onlyOnce(alike(stdout, source), /.* SKIP /).join('\n'),
  };
}

/** What is left to compare where dependencies cannot be had: apt's reason and ours differ in words, and on stdout apt tells all that it tries. */
export function withoutReason({ exitCode, summary, files }: Observed) {
  const plain = (text: string) => text.replace(/^badpkg: .*$/, 'badpkg: REASON');
  return { exitCode, names: Object.keys(files), summary: summary.map(plain) };
}

/** Lines that only one of them has, or in other words. */
const TOLD_OTHERWISE =
  /^autopkgtest: (build not needed|@{20} test bed setup|testbed (dpkg architecture|running kernel): .*|ERROR: (timed out on command|test \S+ ran for more than) .*)$/;

/** Lines with all taken out in which two good runs may differ, or that docs/runner.md names as a difference. */
function alike(text: string, source: string): string[] {
  return text
    .replaceAll(source, 'SOURCE')
    .split('\n')
    .map((line) =>
      line
        .replace(/^(autopkgtest) \[\d\d:\d\d:\d\d\]/, '$1')
        .replaceAll(/\/tmp\/autopkgtest\.\w+(\/build\.\w+\/(real-)?tree|\/tree)/g, 'TREE')
        .replaceAll(/\/tmp\/autopkgtest\.\w+/g, 'SCRATCH')
        // The shell that execs the program has another name.
        .replace(/^(?:SCRATCH\/wrapper\.sh|TREE\/\S+|\w+): \d+: /, 'sh: N: ')
        .replace(/ \([^()]+:\d+\)$/, ''),
    )
    .filter((line) => !TOLD_OTHERWISE.test(line));
}

function fromHeading(lines: readonly string[]): string[] {
  return lines.slice(lines.findIndex((line) => /: @{20} (un)?built-tree /.test(line)));
}

/** autopkgtest 5.28 reads the control file of an unbuilt tree twice, and reports what it skips each time. */
function onlyOnce(lines: readonly string[], what: RegExp): string[] {
  return lines.filter((line, index) => !what.test(line) || lines.indexOf(line) === index);
}
