import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { makePackage, type PackageSpec } from '../runner/support/packages.ts';
import { IMAGE_PATIENCE } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { ours, theirs } from './support/bothSides.ts';
import { type Testbeds, testbeds, testbedsWithoutArchive, USER } from './support/testbeds.ts';

const CONTROL = `Source: greeter
Section: misc
Maintainer: A <a@example.org>
Rules-Requires-Root: no

Package: greeter
Architecture: all
Description: greets

Package: greeter-loud
Architecture: any
Depends: greeter
Provides: shouter
Description: greets louder
`;

/** Without debhelper: so the image needs none. What is built tells that the test's greeter is not the archive's. */
const RULES = `#!/usr/bin/make -f
build build-arch build-indep:
	echo built by $$(id -u) >built
clean:
	rm -rf built debian/greeter debian/greeter-loud debian/files
binary-arch: build
binary: binary-indep
binary-indep: binary-arch
	for package in greeter greeter-loud; do \\
	  mkdir -p debian/$$package/DEBIAN debian/$$package/usr/share/$$package || exit 1; \\
	  echo hello >debian/$$package/usr/share/$$package/greeting || exit 1; \\
	  dpkg-gencontrol -p$$package -Pdebian/$$package || exit 1; \\
	  dpkg-deb --root-owner-group --build debian/$$package .. || exit 1; \\
	done
`;

const FILES = { 'debian/control': CONTROL, 'debian/rules': RULES, 'debian/source/format': '3.0 (native)\n' };

const READS = 'cat /usr/share/greeter/greeting /usr/share/greeter-loud/greeting\n';
const DEPENDS_ON_ITSELF = { control: 'Tests: a\nDepends: @\n', tests: { a: READS }, files: FILES };
const NEEDS_A_BUILD = {
  control: 'Tests: a\nDepends:\nRestrictions: build-needed\n',
  tests: { a: 'cat built; test "$(id -u)" != 0\n' },
  files: FILES,
};

/** A test of what was built and of what was given. */
const NEEDS_BOTH = 'Test-Command: cat built /usr/share/greeter-loud/greeting\nDepends: @\nRestrictions: build-needed\n';

/** A package that can be built on this machine, and in no testbed. */
const FAILS_TO_BUILD = {
  ...DEPENDS_ON_ITSELF,
  files: {
    ...FILES,
    'debian/rules': RULES.replace('build build-arch build-indep:\n', (line) => `${line}\ttest $$(id -u) = 0\n`),
  },
};

/** A package built on this machine, as the beginning of the names of its .dsc, .changes and .deb files. */
function built(parent: string, spec: PackageSpec = DEPENDS_ON_ITSELF): string {
  const tree = makePackage(parent, 'greeter', spec);
  writeFileSync(path.join(tree, 'debian/changelog'), changelog('greeter'));
  execFileSync('dpkg-buildpackage', ['-us', '-uc', '-d'], { cwd: tree, stdio: 'pipe' });
  rmSync(tree, { recursive: true });
  return path.join(parent, 'greeter_1.0');
}

function changelog(name: string): string {
  return `${name} (1.0) unstable; urgency=low\n\n  * x\n\n -- A <a@example.org>  Tue, 24 Nov 2026 12:00:00 +0000\n`;
}

/** A bare repository as `greeter.git`: what is packaged is in the branch `topic` alone, as is the file `mark`. */
function repository(own: string, spec: PackageSpec): string {
  const tree = makePackage(own, 'greeter', { files: { 'debian/control': CONTROL } });
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.org', ...words], {
      cwd: tree,
      stdio: 'pipe',
    });
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'One');
  git('checkout', '--quiet', '-b', 'topic');
  makePackage(own, 'greeter', { ...spec, files: { ...spec.files, mark: 'topic\n' } });
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Two');
  git('checkout', '--quiet', '-');
  cpSync(path.join(tree, '.git'), path.join(own, 'greeter.git'), { recursive: true });
  return path.join(own, 'greeter.git');
}

/** Words that put a {@link repository} into the testbed, where nobody asks whose it is, and take its branch. */
function cloned(own: string, spec: PackageSpec): string[] {
  const trust = 'git config --system --add safe.directory "*"';
  const copy = `--copy=${repository(own, spec)}:/srv/greeter.git`;
  return ['-B', copy, '--setup-commands', trust, 'file:///srv/greeter.git#topic'];
}

/** Paths of all debs in a directory. */
function debsIn(directory: string): string[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.deb'));
  return names.map((name) => path.join(directory, name));
}

/** A command line, and where it is given, if that matters. */
interface Given {
  readonly words: readonly string[];
  readonly cwd?: string;
}

/** Of what is not in its lists, apt says something else than where it has none. */
const NO_SUCH_SOURCE = 'a source of apt that there is not';

/** For a clone, 5.28 installs more than git. */
const CLONED = 'a git repository with a branch, built because a test says so';

const LISTED = new Set([NO_SUCH_SOURCE, CLONED]);

/**
 * What is tested, given a directory of its own. A run takes apt and a build tens of seconds: each shows what no other does,
 * and a way to give a source stands in one.
 */
const CASES: Readonly<Record<string, (own: string) => readonly string[] | Given>> = {
  'an unbuilt tree without binaries, built because a test says so': (own) => [
    '-B',
    makePackage(own, 'greeter', NEEDS_A_BUILD),
  ],
  'a build that fails': (own) => [
    makePackage(own, 'greeter', {
      ...DEPENDS_ON_ITSELF,
      files: { ...FILES, 'debian/rules': '#!/usr/bin/make -f\n%:\n\texit 3\n' },
    }),
  ],
  'build dependencies that cannot be had': (own) => [
    '-B',
    makePackage(own, 'greeter', {
      ...NEEDS_A_BUILD,
      files: { ...FILES, 'debian/control': CONTROL.replace('\n\n', '\nBuild-Depends: no-such-package\n\n') },
    }),
  ],
  'a .dsc file': (own) => [`${built(own)}.dsc`],
  'a .dsc file with local debs, which it is not built for': (own) => [
    `${built(own, FAILS_TO_BUILD)}.dsc`,
    ...debsIn(own),
  ],
  'local debs before a .dsc file that is built all the same, because a test says so': (own) => {
    const source = built(own, { ...NEEDS_A_BUILD, control: NEEDS_BOTH });
    return [...debsIn(own), `${source}.dsc`];
  },
  'a .changes file with its debs': (own) => [
    `${built(own)}_${execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim()}.changes`,
  ],
  'no source: an unbuilt tree is the current directory': (own) => ({
    words: [],
    cwd: makePackage(own, 'greeter', DEPENDS_ON_ITSELF),
  }),
  'no source: a built tree is the current directory, and debs are given by relative names': (own) => {
    built(own);
    const cwd = makePackage(path.join(own, 'tree'), 'greeter', { ...DEPENDS_ON_ITSELF, built: true });
    return { words: debsIn(own).map((deb) => path.relative(cwd, deb)), cwd };
  },
  [NO_SUCH_SOURCE]: () => ['no-such-source-package'],
  [CLONED]: (own) => cloned(own, { ...NEEDS_A_BUILD, tests: { a: 'cat mark built; test "$(id -u)" != 0\n' } }),
};

/** Exit codes of what does not pass. */
const FAILING: Readonly<Record<string, number>> = {
  'a build that fails': 12,
  'build dependencies that cannot be had': 12,
  [NO_SUCH_SOURCE]: 12,
};

let place: Testbeds;
let listed: Testbeds;
let directory: string;
beforeAll(() => {
  place = testbedsWithoutArchive();
  listed = testbeds();
  directory = mkdtempSync(path.join(tmpdir(), 'trundle-builds-'));
}, IMAGE_PATIENCE);
afterAll(() => {
  place?.[Symbol.dispose]();
  listed?.[Symbol.dispose]();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

describeWith(
  ['root', 'schroot', 'mmdebstrap', 'autopkgtest', 'overlay', 'archive', 'dpkg-source', 'git'],
  'a package is unpacked, built and tested as autopkgtest does it',
  () => {
    for (const [index, [name, words]] of Object.entries(CASES).entries()) {
      it(name, async ({ expect }) => {
        const own = mkdtempSync(path.join(directory, `case${index}-`));
        const given = words(own);
        const { words: those, cwd }: Given = 'words' in given ? given : { words: given };
        const all = [...USER, ...those];
        const { schroot } = LISTED.has(name) ? listed : place;
        const [reference, mine] = await Promise.all([
          theirs(own, all, schroot, cwd),
          ours('ours', own, all, schroot, cwd),
        ]);
        expect(withoutReason(mine)).toEqual(withoutReason(reference));
        expect(mine.exitCode).toBe(FAILING[name] ?? 0);
      });
    }
  },
);

/** Who is to blame for dependencies that cannot be had is the same; the words are not. */
function withoutReason<T extends { summary: readonly string[] }>(verdict: T): T {
  const plain = (line: string) => line.replace(/^(badpkg|erroneous package): (?!rules).*$/, '$1: REASON');
  return { ...verdict, summary: verdict.summary.map(plain) };
}
