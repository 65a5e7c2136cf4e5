import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/needs.ts';
import { makePackage, type PackageSpec } from './support/packages.ts';
import { runHere } from './support/runHere.ts';

interface Case extends PackageSpec {
  readonly name: string;
  /** Seconds that a test may run. */
  readonly timeout?: number;
  readonly env?: readonly string[];
  readonly only?: readonly string[];
}

const SHOW = `printf '%s\\n' "$DEB_BUILD_OPTIONS" "$DEBIAN_FRONTEND" "$LANG" "$LC_ALL" "$FOO" "$USER" "$HOME" "$SHELL"
umask; id -un; pwd | sed 's,.*/,,' | tr -d '\\n' | wc -c | grep -c .
for d in "$AUTOPKGTEST_TMP" "$AUTOPKGTEST_ARTIFACTS"; do stat -c '%A %U' "$d"; ls -A "$d"; done
[ "$ADTTMP" = "$AUTOPKGTEST_TMP" ] && [ "$ADT_ARTIFACTS" = "$AUTOPKGTEST_ARTIFACTS" ] && echo aliases
[ -t 0 ] || cat; ls debian/tests; stat -c %A debian/tests/env
`;

/** No case has dependencies: on this backend autopkgtest would install them on the machine itself. */
const CASES: readonly Case[] = [
  { name: 'passes', control: 'Tests: a, b\nDepends:\n', tests: { a: 'echo out\n', b: '#!/bin/sh\ntrue\n' } },
  { name: 'built', control: 'Tests: a\nDepends:\n', tests: { a: 'echo out\n' }, built: true },
  {
    name: 'fails',
    control: 'Tests: a, b, c\nDepends:\n',
    tests: { a: 'exit 3\n', b: 'echo out; echo "err line  " >&2; echo more >&2\n', c: '#!/no/such/interpreter\n' },
  },
  {
    name: 'allowed',
    control:
      'Tests: noisy\nDepends:\nRestrictions: allow-stderr\n\nTests: shaky\nDepends:\nRestrictions: flaky\n\nTests: able\nDepends:\nRestrictions: skippable\n\nTests: plain\nDepends:\n',
    tests: { noisy: 'echo err >&2\n', shaky: 'exit 1\n', able: 'exit 77\n', plain: 'exit 77\n' },
  },
  {
    name: 'skips',
    control: 'Tests: able\nDepends:\nRestrictions: skippable\n\nTests: ok\nDepends:\n',
    tests: { able: 'exit 77\n', ok: ':\n' },
  },
  { name: 'superficial', control: 'Tests: a\nDepends:\nRestrictions: superficial\n', tests: { a: ':\n' } },
  { name: 'no-tests', control: '# none\n' },
  {
    name: 'commands',
    control:
      "Test-Command: echo hi; false; echo never\nDepends:\n\nTest-Command: echo 'it''s' \"$HOME\" | wc -l\nDepends:\nFeatures: test-name=quoted\n\nTest-Command: true &&\n true\nDepends:\n",
  },
  { name: 'signals', control: 'Test-Command: kill -9 $$\nDepends:\n\nTest-Command: kill -SEGV $$\nDepends:\n' },
  {
    name: 'incapable',
    control:
      'Tests: a\nDepends:\nFoo-Bar: x\n\nTests: b\nDepends:\nRestrictions: odd\n\nTests: c\nDepends:\nRestrictions: needs-reboot\n\nTests: d\nDepends:\nRestrictions: breaks-testbed\n\nTests: e\nDepends:\nArchitecture: !linux-any\n\nTests: f/g\nDepends:\n\nTests: h\nDepends:\nRestrictions: isolation-machine, isolation-container\n',
    tests: { h: 'echo h\n' },
  },
  { name: 'bad-control', control: 'Depends: x\n', built: true },
  { name: 'bad-depends', control: 'Tests: t\nDepends: foo bar\n', built: true },
  { name: 'bad-feature', control: 'Tests: t\nDepends:\nFeatures: test-name=x\n', built: true },
  { name: 'missing', control: 'Tests: a, gone\nDepends:\n', tests: { a: ':\n' } },
  {
    name: 'artifacts',
    control: 'Tests: a\nDepends:\n',
    tests: {
      a: 'mkdir "$AUTOPKGTEST_ARTIFACTS/d"; echo x > "$AUTOPKGTEST_ARTIFACTS/d/x"; echo y > "$AUTOPKGTEST_TMP/y"\n',
    },
  },
  {
    name: 'elsewhere',
    control: 'Tests: a\nDepends:\nTests-Directory: checks\n\nTests: b\n c\nDepends: # nothing\n',
    tests: { b: 'echo b\n', c: 'echo c\n' },
    files: { 'checks/a': 'echo a; cat data\n', data: 'data\n' },
  },
  {
    name: 'environment',
    control: 'Tests: env\nDepends:\n',
    tests: { env: SHOW },
    env: ['FOO=a b', 'LANG=de_DE.UTF-8'],
  },
  { name: 'slow', control: 'Tests: a, b\nDepends:\n', tests: { a: 'sleep 60\n', b: ':\n' }, timeout: 1 },
  {
    name: 'chosen',
    control: 'Tests: a, b\nDepends:\n\nTests: c\nDepends:\nRestrictions: odd\n',
    tests: { a: ':\n', b: ':\n' },
    only: ['b'],
    built: true,
  },
  { name: 'not-there', control: 'Tests: a\nDepends:\n', tests: { a: ':\n' }, only: ['zz'] },
];

/** What two runs are compared by. */
interface Observed {
  readonly exitCode: number;
  readonly summary: readonly string[];
  /** Path by path; null for a file whose content is not compared. */
  readonly files: Readonly<Record<string, string | null>>;
  /** The runner's own lines about tests, in order. */
  readonly steps: readonly string[];
}

/** Files whose content depends on time, path or release. */
const UNCOMPARED = /^(log|summary|testinfo\.json|testbed-packages|unstartable-stderr)$/;

function observe(directory: string, exitCode: number, stderr: string): Observed {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)));
  const summary = readFileSync(path.join(directory, 'summary'), 'utf8').split('\n');
  const noTestbed = summary.some((line) => line.startsWith('badpkg: InvalidControl') || line.startsWith('* '));
  return {
    exitCode,
    // autopkgtest 5.28 reports the skips of an unbuilt tree twice.
    summary: [...new Set(summary)].map((line) => line.replace(/ \(debian\/tests\/control:\d+\)$/, '')),
    files: Object.fromEntries(
      names
        // Without tests to run, Trundle opens no testbed.
        .filter((name) => !(noTestbed && name === 'testbed-packages'))
        .map((name) => [name, UNCOMPARED.test(name) ? null : readFileSync(path.join(directory, name), 'utf8')] as const)
        // Since 5.53 each test has its own directory of artifacts.
        .map(([name, content]) => [name.replace(/^artifacts\/a\//, 'artifacts/'), content] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    steps: [...stderr.matchAll(/^autopkgtest \[[\d:]+\]: (test .*|@+ summary)$/gm)].map(([, step = '']) => step),
  };
}

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'trundle-differential-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function reference(test: Case, source: string): Promise<Observed> {
  const output = path.join(directory, `${test.name}-theirs`);
  const options = [
    ...(test.timeout === undefined ? [] : [`--timeout-test=${test.timeout}`]),
    ...(test.env ?? []).map((assignment) => `--env=${assignment}`),
    ...(test.only ?? []).map((name) => `--test-name=${name}`),
  ];
  return new Promise((resolve, reject) => {
    execFile('autopkgtest', ['-B', '-o', output, ...options, source, '--', 'null'], (error, _, stderr) => {
      if (!existsSync(path.join(output, 'summary'))) return reject(new Error(`autopkgtest left no summary: ${stderr}`));
      resolve(observe(output, error === null ? 0 : Number(error.code), stderr));
    });
  });
}

async function ours(test: Case, source: string): Promise<Observed> {
  const outputDir = path.join(directory, `${test.name}-ours`);
  const { report, stderr } = await runHere({
    source,
    outputDir,
    ...(test.timeout === undefined ? {} : { timeouts: { test: test.timeout } }),
    ...(test.env === undefined ? {} : { env: test.env }),
    ...(test.only === undefined ? {} : { testNames: test.only }),
  });
  return observe(outputDir, report.exitCode, stderr());
}

describeWith(['autopkgtest', 'dpkg-source', 'root'], 'Trundle and autopkgtest on the null backend', () => {
  it.each(CASES)('agree on a package that is called $name', async (test) => {
    const source = makePackage(directory, test.name, test);
    const [theirs, mine] = await Promise.all([reference(test, source), ours(test, source)]);
    expect(mine).toEqual(theirs);
  });
});
