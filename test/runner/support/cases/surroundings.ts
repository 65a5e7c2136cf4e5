import type { Case } from '../sides.ts';

const VARIABLES = `printf '%s\\n' "$DEB_BUILD_OPTIONS" "$DEBIAN_FRONTEND" "$LANG" "$LC_ALL" "$LANGUAGE" "$FOO" "$USER" "$HOME" "$SHELL" "$PATH"
printf '%s\\n' "$AUTOPKGTEST_NORMAL_USER" "$ADT_NORMAL_USER" "$AUTOPKGTEST_TMP" "\${AUTOPKGTEST_ARTIFACTS##*/}"
[ "$ADTTMP" = "$AUTOPKGTEST_TMP" ] && [ "$ADT_ARTIFACTS" = "$AUTOPKGTEST_ARTIFACTS" ] && echo aliases
`;

const DIRECTORIES = `pwd | sed 's,.*/,,' | wc -l
for place in "$AUTOPKGTEST_TMP" "$AUTOPKGTEST_ARTIFACTS"; do stat -c '%A %U' "$place"; ls -A "$place"; echo x >"$place/mine" && echo writable; done
rm "$AUTOPKGTEST_ARTIFACTS/mine"; stat -c %A debian/tests/* | sort -u; echo "$0" | sed 's,.*/debian,debian,'
`;

const PROCESS = `umask; id -un; id -gn; [ -t 0 ] || cat; tty -s || echo no terminal; ulimit -c -f -v
echo $- | tr -d hBc; trap | wc -l
`;

/** What a test finds around it, and what of it is kept. */
export const SURROUNDINGS_CASES: readonly Case[] = [
  { name: 'variables', control: 'Tests: a\nDepends:\n', tests: { a: VARIABLES } },
  {
    name: 'variables-given',
    control: 'Tests: a\nDepends:\n',
    tests: { a: VARIABLES },
    env: ['FOO=a b "c" $d', 'LANG=de_DE.UTF-8', 'DEB_BUILD_OPTIONS=nocheck', 'USER=somebody'],
  },
  { name: 'language', control: 'Tests: a\nDepends:\n', tests: { a: VARIABLES }, lang: 'en_GB.UTF-8' },
  {
    name: 'language-and-another',
    control: 'Tests: a\nDepends:\n',
    tests: { a: VARIABLES },
    env: ['LANG=de_DE.UTF-8'],
    lang: 'en_GB.UTF-8',
  },
  {
    name: 'language-of-nothing',
    control: 'Tests: a\nDepends:\n',
    tests: { a: VARIABLES },
    env: ['FOO=bar'],
    lang: '',
  },
  { name: 'parallel', control: 'Tests: a\nDepends:\n', tests: { a: VARIABLES }, parallel: 7 },
  { name: 'directories', control: 'Tests: a, b\nDepends:\n', tests: { a: DIRECTORIES, b: DIRECTORIES } },
  { name: 'process', control: 'Tests: a\nDepends:\n', tests: { a: PROCESS } },
  {
    name: 'ordinary-user',
    control: 'Tests: a, b, c\nDepends:\n\nTests: d, e\nDepends:\nRestrictions: needs-root\n',
    tests: { a: VARIABLES, b: DIRECTORIES, c: PROCESS, d: VARIABLES, e: PROCESS },
    user: 'tester',
  },
  {
    name: 'ordinary-user-may-write-the-tree',
    control: 'Tests: a\nDepends:\nRestrictions: rw-build-tree\n\nTests: b\nDepends:\n',
    tests: { a: 'echo x >new; cat new; id -un\n', b: 'cat new\n' },
    user: 'tester',
  },
  {
    name: 'the-tree-is-the-ordinary-users',
    control: 'Tests: a\nDepends:\n\nTests: b\nDepends:\nRestrictions: needs-root\n',
    tests: { a: 'stat -c %U . debian/tests/a; echo x >new\n', b: 'stat -c %U . new\n' },
    user: 'tester',
  },
  {
    name: 'the-built-tree-too',
    control: 'Tests: a\nDepends:\n',
    tests: { a: 'stat -c %U . debian/tests/a; echo x >new; ls\n' },
    user: 'tester',
    built: true,
  },
  {
    name: 'the-tree-stays',
    control: 'Tests: a\nDepends:\n\nTests: b\nDepends:\n',
    tests: { a: 'echo x >new; rm data\n', b: 'ls; cat new\n' },
    files: { data: 'data\n' },
  },
  {
    name: 'the-tree-is-taken-away',
    control: 'Tests: a, b, c\nDepends:\n\nTest-Command: ls\nDepends:\n',
    tests: { a: 'rm -rf "$PWD"\n', b: 'ls; mv "$PWD" "$PWD.away"\n', c: 'ls; cat data; rm -rf "$PWD"\n' },
    files: { data: 'data\n' },
  },
  {
    name: 'odd-files',
    control: 'Tests: a\nDepends:\n',
    tests: { a: 'cat "a b/ü*" ".hidden"; ls -A | sort\n' },
    files: { 'a b/ü*': 'one\n', '.hidden': 'two\n', "it's \\ here": '' },
  },
  {
    name: 'artifacts',
    control: 'Tests: only\nDepends:\n',
    tests: {
      only: 'cd "$AUTOPKGTEST_ARTIFACTS"; mkdir d .e; echo x >d/x; echo y >.e/.y; echo z >"$AUTOPKGTEST_TMP/z"; ln -s d/x link\n',
    },
  },
  {
    name: 'no-artifacts',
    control: 'Tests: only\nDepends:\n',
    tests: { only: 'rmdir "$AUTOPKGTEST_ARTIFACTS"/none 2>/dev/null; :\n' },
  },
  {
    name: 'artifacts-of-a-failed-test',
    control: 'Tests: only\nDepends:\n',
    tests: { only: 'echo x >"$AUTOPKGTEST_ARTIFACTS/kept"; exit 1\n' },
  },
  {
    name: 'artifacts-of-an-ordinary-user',
    control: 'Tests: only\nDepends:\n',
    tests: { only: 'umask 077; echo x >"$AUTOPKGTEST_ARTIFACTS/kept"\n' },
    user: 'tester',
  },
  {
    name: 'setup-commands',
    control: 'Tests: a\nDepends:\n',
    tests: { a: 'cat /tmp/mark*\n' },
    files: { 'set up': '\necho two; echo file >/tmp/mark2\nid -u\n' },
    user: 'tester',
    options: [
      '--setup-commands=echo one; pwd | wc -l; echo text >/tmp/mark1; set -- $-; echo "$1" | tr -dc e; echo',
      '--setup-commands=SOURCE/set up',
      '--setup-commands=echo "$AUTOPKGTEST_IS_SETUP_COMMAND $AUTOPKGTEST_NORMAL_USER $ADT_NORMAL_USER $DEBIAN_FRONTEND"',
      '--setup-commands-boot=echo "$AUTOPKGTEST_IS_SETUP_COMMAND/$AUTOPKGTEST_IS_SETUP_BOOT_COMMAND"; echo >>/tmp/mark1',
    ],
  },
  {
    name: 'copy',
    control: 'Tests: a\nDepends:\n',
    tests: {
      a: 'cd /tmp/there; stat -c "%n %A %U" sub sub/file copied dir dir/.x "dir/y z"; cat sub/file copied dir/.x "dir/y z"\n',
    },
    files: { one: 'one\n', 'd/.x': 'x\n', 'd/y z': 'y\n' },
    user: 'tester',
    options: [
      '--copy=SOURCE/one:/tmp/there/sub/file',
      '--copy=SOURCE/d:/tmp/there/dir',
      '--copy=SOURCE/one:/tmp/there/copied',
    ],
  },
  {
    name: 'internet-is-not-sure',
    control: ['exit 1', 'true', 'echo err >&2', 'exit 3']
      .map(
        (command, index) => `Test-Command: ${command}\nDepends:\n${index < 3 ? 'Restrictions: needs-internet\n' : ''}`,
      )
      .join('\n'),
    options: ['--needs-internet=try'],
  },
  {
    name: 'patched',
    control: 'Tests: a\nDepends:\n',
    tests: { a: 'cat data\n' },
    files: {
      data: 'old\n',
      'debian/source/format': '3.0 (quilt)\n',
      'debian/patches/series': 'new.patch\n',
      'debian/patches/new.patch': '--- a/data\n+++ b/data\n@@ -1 +1 @@\n-old\n+new\n',
    },
  },
];
