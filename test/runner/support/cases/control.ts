import type { Case } from '../sides.ts';

/** Tests that only say who they are. */
const speak = (...names: string[]) => Object.fromEntries(names.map((name) => [name, `echo ${name}\n`]));

/** What stands in the control file, and what of it is run, skipped or refused. No case has dependencies. */
export const CONTROL_CASES: readonly Case[] = [
  {
    name: 'names-parted-in-any-way',
    control: 'Tests: a, b c\n\td,e\nDepends:\n',
    tests: speak('a', 'b', 'c', 'd', 'e'),
  },
  {
    name: 'comments',
    control: '# first\nTests: a # and why\n# between\nDepends: # nothing\n\n# last\n',
    tests: speak('a'),
  },
  { name: 'field-names-in-any-case', control: 'tests: a\nDEPENDS:\nrestrictions: flaky\n', tests: { a: 'exit 1\n' } },
  { name: 'empty-lines', control: '\n\n  \nTests: a\nDepends:\n \n\nTests: b\nDepends:', tests: speak('a', 'b') },
  { name: 'unknown-field', control: 'Tests: a\nDepends:\nfoo-BAR: x\n\nTests: b\nDepends:\n', tests: speak('a', 'b') },
  { name: 'unknown-restriction', control: 'Tests: a\nDepends:\nRestrictions: flaky, odd\n', tests: speak('a') },
  {
    name: 'restriction-ignored-at-will',
    control:
      'Tests: a\nDepends:\nRestrictions: odd isolation-machine\n\nTests: b\nDepends:\nRestrictions: needs-reboot\n',
    tests: speak('a', 'b'),
    ignoreRestrictions: ['odd', 'isolation-machine'],
  },
  {
    name: 'restrictions-that-the-testbed-cannot-meet',
    control: ['needs-reboot', 'breaks-testbed']
      .map((restriction) => `Tests: ${restriction}\nDepends:\nRestrictions: ${restriction}\n`)
      .join('\n'),
  },
  {
    name: 'restrictions-that-it-can',
    control: 'Tests: a\nDepends:\nRestrictions: needs-root, rw-build-tree, skip-not-installable, needs-internet\n',
    tests: { a: 'id -u; echo x >written; cat written\n' },
  },
  {
    name: 'no-internet',
    control: 'Tests: a\nDepends:\nRestrictions: needs-internet\n\nTests: b\nDepends:\n',
    tests: speak('a', 'b'),
    skipInternet: true,
  },
  { name: 'old-hint', control: 'Tests: a\nDepends:\nRestrictions: hint-testsuite-triggers\n', built: true },
  { name: 'feature-unknown', control: 'Tests: a\nDepends:\nFeatures: foo, bar=1\n', tests: speak('a') },
  { name: 'classes', control: 'Tests: a\nDepends:\nClasses: desktop, foo bar\n', tests: speak('a') },
  {
    name: 'architectures',
    control: ['any', 'linux-any', '!linux-any', 'all', 's390x', '!s390x', 's390x any-amd64 any-arm64', '!s390x !sparc']
      .map((list, index) => `Tests: t${index}\nDepends:\nArchitecture: ${list}\n`)
      .join('\n'),
    tests: speak('t0', 't1', 't2', 't3', 't4', 't5', 't6', 't7'),
  },
  {
    name: 'directories',
    control:
      'Tests: a\nDepends:\nTests-Directory: checks\n\nTests: b\nDepends:\nTests-Directory: .\n\nTests: c\nDepends:\nTests-Directory: x/y/\n',
    files: { 'checks/a': 'echo a; cat data\n', data: 'data\n', b: 'echo b\n', 'x/y/c': 'echo c\n' },
  },
  { name: 'a-slash-in-a-name', control: 'Tests: a/b\nDepends:\n', files: { 'debian/tests/a/b': 'true\n' } },
  {
    name: 'commands',
    control:
      "Test-Command: echo hi; false; echo never\nDepends:\n\nTest-Command: echo 'it''s' \"$HOME\" | wc -l\nDepends:\nFeatures: test-name=quoted\n\nTest-Command: true &&\n true\nDepends:\n",
  },
  { name: 'command-in-bash', control: 'Test-Command: [[ $BASH_VERSION = * ]] && echo {a,b}\nDepends:\n' },
  {
    name: 'numbers-of-commands',
    control:
      'Test-Command: true\nDepends:\n\nTests: a\nDepends:\n\nTest-Command: true\nDepends:\nArchitecture: s390x\n\nTest-Command: true\nDepends:\n',
    tests: speak('a'),
  },
  {
    name: 'chosen',
    control: 'Tests: a, b\nDepends:\n\nTests: c\nDepends:\nRestrictions: odd\n',
    tests: speak('a', 'b'),
    only: ['b'],
    built: true,
  },
  { name: 'chosen-twice', control: 'Tests: a, b, c\nDepends:\n', tests: speak('a', 'b', 'c'), only: ['c', 'a'] },
  { name: 'left-out', control: 'Tests: a, b, c\nDepends:\n', tests: speak('a', 'b', 'c'), without: ['b'] },
  {
    name: 'left-out-and-could-not-run',
    control: 'Tests: a\nDepends:\nRestrictions: odd\n\nTests: b\nDepends:\n',
    tests: speak('a', 'b'),
    without: ['a'],
  },
  {
    name: 'directories-oddly-written',
    control: 'Tests: a\nDepends:\nTests-Directory:\n\nTests: b\nDepends:\nTests-Directory: debian/../debian//tests\n',
    tests: speak('b'),
    files: { a: 'echo a\n' },
  },
  { name: 'chosen-is-not-there', control: 'Tests: a\nDepends:\n', tests: speak('a'), only: ['zz'] },
  { name: 'built', control: 'Tests: a\nDepends:\n', tests: speak('a'), built: true },
  { name: 'no-tests', control: '# none\n' },
  { name: 'no-control-file' },
  {
    name: 'described-by-autodep8',
    files: {
      'debian/tests/control.autodep8': 'Test-Command: echo made\nDepends:\nFeatures: test-name=made\n',
    },
  },
  {
    name: 'described-by-autodep8-as-well',
    control: 'Tests: a\nDepends:\n',
    tests: speak('a'),
    files: {
      'debian/control':
        'Source: described-by-autodep8-as-well\nSection: misc\nTestsuite: autopkgtest-pkg-any\nMaintainer: A <a@example.org>\n\nPackage: x\nArchitecture: all\nDescription: x\n',
      'debian/tests/control.autodep8': 'Test-Command: echo made\nDepends:\n',
    },
  },
  {
    name: 'autodep8-not-wanted',
    files: { 'debian/tests/control.autodep8': 'Test-Command: echo made\nDepends:\n' },
    options: ['--no-auto-control'],
  },
  {
    name: 'described-elsewhere',
    control: 'Tests: a\nDepends:\n',
    tests: speak('a', 'b'),
    files: { 'other control': 'Tests: b, a\nDepends:\n' },
    options: ['--override-control=SOURCE/other control'],
  },
  {
    name: 'described-elsewhere-and-wrong',
    control: 'Tests: a\nDepends:\n',
    files: { other: 'Tests:\n' },
    options: ['--override-control=SOURCE/other'],
    built: true,
  },
  {
    name: 'valid',
    control: 'Tests: a\nDepends:\n\nTests: b\nDepends:\nRestrictions: odd\n',
    tests: speak('a', 'b'),
    options: ['--validate'],
  },
  { name: 'not-valid', control: 'Tests: a\nFeatures: test-name\n', options: ['-V'], built: true },
  { name: 'no-name', control: 'Depends: x\n', built: true },
  { name: 'two-kinds', control: 'Tests: a\nTest-Command: true\n', built: true },
  { name: 'empty-tests', control: 'Tests:\nDepends:\n', built: true },
  { name: 'bad-depends', control: 'Tests: t\nDepends: foo bar\n', built: true },
  { name: 'name-for-many', control: 'Tests: t\nDepends:\nFeatures: test-name=x\n', built: true },
  { name: 'two-names', control: 'Test-Command: t\nDepends:\nFeatures: test-name=x, test-name=y\n', built: true },
  {
    name: 'bad-after-good',
    control: 'Tests: a\nDepends:\n\nTests: b\nDepends: x (= \n',
    tests: speak('a'),
    built: true,
  },
  { name: 'program-is-missing', control: 'Tests: a, gone, b\nDepends:\n', tests: speak('a', 'b') },
  {
    name: 'program-is-missing-after-a-skip',
    control: 'Tests: odd\nDepends:\nRestrictions: odd\n\nTests: gone\nDepends:\n',
  },
];
