import type { Case } from '../sides.ts';

const commands = (...lines: readonly string[]) => lines.map((line) => `Test-Command: ${line}\nDepends:\n`).join('\n');

/** Rules for which it matters in what kind of testbed a test is. */
export const TESTBED_CASES: readonly Case[] = [
  {
    name: 'outcomes',
    control: `${commands('true', 'exit 3', 'echo err >&2', 'kill -SEGV $$', 'kill -KILL $$')}
Test-Command: exit 77
Depends:
Restrictions: skippable

Test-Command: exit 1
Depends:
Restrictions: flaky

Test-Command: echo err >&2
Depends:
Restrictions: superficial, allow-stderr
`,
  },
  { name: 'too-slow', control: commands('sleep 600'), timeout: 3 },
  {
    name: 'what-it-cannot-do',
    control: ['needs-reboot', 'breaks-testbed', 'isolation-machine', 'isolation-container', 'odd']
      .map((restriction) => `Tests: ${restriction}\nDepends:\nRestrictions: ${restriction}\n`)
      .join('\n'),
  },
  {
    name: 'variables',
    control: 'Tests: a\nDepends:\n',
    tests: {
      a: 'printf "%s\\n" "$DEB_BUILD_OPTIONS" "$DEBIAN_FRONTEND" "$LANG" "$LC_ALL" "$FOO" "$USER" "$HOME" "$AUTOPKGTEST_NORMAL_USER" "$AUTOPKGTEST_TMP" "$AUTOPKGTEST_ARTIFACTS"\n',
    },
    env: ['FOO=a b'],
    parallel: 3,
  },
  {
    name: 'the-root-is-its-own',
    control: 'Tests: a\nDepends:\nRestrictions: needs-root\n',
    tests: { a: 'id; umask; ls -d /mnt/root /etc/schroot 2>/dev/null; dpkg --print-architecture; ls -A "$HOME"\n' },
  },
  {
    name: 'ordinary-user',
    control: 'Tests: only\nDepends:\n\nTests: b\nDepends:\nRestrictions: needs-root\n',
    tests: {
      only: 'id; pwd; stat -c "%A %U" "$AUTOPKGTEST_TMP" "$AUTOPKGTEST_ARTIFACTS"; echo x >"$AUTOPKGTEST_ARTIFACTS/x"\n',
      b: 'id; echo "$AUTOPKGTEST_NORMAL_USER"\n',
    },
    user: 'tester',
  },
  {
    name: 'artifacts',
    control: 'Tests: only\nDepends:\n',
    tests: { only: 'cd "$AUTOPKGTEST_ARTIFACTS"; mkdir d; echo x >d/x; ln -s d/x link; echo y >.y\n' },
  },
  {
    name: 'odd-files',
    control: 'Tests: a\nDepends:\n',
    tests: { a: 'cat "a b/ü*" ".hidden"; ls -A | sort\n' },
    files: { 'a b/ü*': 'one\n', '.hidden': 'two\n' },
  },
  {
    name: 'set-up',
    control: 'Tests: a\nDepends:\n',
    tests: { a: 'cat /etc/mark /srv/there/one /srv/d/two\n' },
    files: { one: 'one\n', 'd/two': 'two\n' },
    options: [
      '--setup-commands=id -un; echo mark >/etc/mark',
      '--setup-commands-boot=echo booted >>/etc/mark',
      '--copy=SOURCE/one:/srv/there/one',
      '--copy=SOURCE/d:/srv/d',
    ],
  },
  {
    name: 'program-is-missing',
    control: 'Tests: a, gone\nDepends:\n',
    tests: { a: ':\n' },
  },
  {
    name: 'bad-control',
    control: 'Tests: a\nTest-Command: b\nDepends:\n',
  },
].map((test) => ({ ...test, built: true }));
