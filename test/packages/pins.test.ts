import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { makePackage } from '../runner/support/packages.ts';
import { unpackedImage } from '../support/chroots.ts';
import { IMAGE_PATIENCE, packagesImage } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { makeArchive } from './support/archive.ts';
import { ours, theirs } from './support/bothSides.ts';
import { type Testbeds, testbedsWithoutArchive, USER } from './support/testbeds.ts';

/** `needy` of the pocket cannot be had without `ground` of the pocket; `lonely` is only in another release. */
const SUITES = {
  stable: {
    ground: { version: '1' },
    other: { version: '1' },
    needy: { version: '1' },
    alien: { version: '1', architecture: 'i386' },
  },
  'stable-proposed': {
    ground: { version: '2' },
    other: { version: '2' },
    needy: { version: '2', fields: ['Depends: ground (>= 2)'] },
  },
  newer: {
    ground: { version: '3' },
    other: { version: '3' },
    lonely: { version: '3', fields: ['Depends: ground (>= 3)'] },
  },
};

const RETRY =
  'WARNING: Test dependencies are unsatisfiable with using apt pinning. Retrying with using all packages from';
const OUTDATED = 'Test dependencies are unsatisfiable. A common reason is that your testbed is out of date';
const PINNED = 'Test dependencies are unsatisfiable. A common reason is that the requested apt pinning prevented';

interface Case {
  readonly options: readonly string[];
  readonly depends: string;
  /** `NAME=VERSION` of what is installed then; null where it cannot be. */
  readonly installed: readonly string[] | null;
  /** What the log says besides. */
  readonly says?: string;
  readonly exitCode?: number;
  /** Options that 5.28 does not have, or takes otherwise: only ours. */
  readonly ownWay?: boolean;
}

const NEWER = '--add-apt-source=deb [trusted=yes] file:/srv/archive newer main';

const CASES: Readonly<Record<string, Case>> = {
  'a pocket': { options: ['--apt-pocket=proposed'], depends: 'ground, other', installed: ['ground=2', 'other=2'] },
  'a pocket for one package': {
    options: ['--apt-pocket=proposed=other'],
    depends: 'ground, other',
    installed: ['ground=1', 'other=2'],
  },
  'a pocket for packages that need more of it': {
    options: ['--apt-pocket=proposed=needy'],
    depends: 'needy (>= 2)',
    installed: ['ground=2', 'needy=2'],
    says: `${RETRY} stable-proposed`,
  },
  'the same without a fallback': {
    options: ['--apt-pocket=proposed=needy', '--no-apt-fallback'],
    depends: 'needy (>= 2)',
    installed: null,
    says: PINNED,
    exitCode: 12,
  },
  'a source': { options: [NEWER], depends: 'lonely', installed: ['ground=3', 'lonely=3'] },
  'a source, with one package pinned to it': {
    options: [NEWER, '--pin-packages=newer=other', '--apt-default-release=stable'],
    depends: 'ground, other',
    installed: ['ground=1', 'other=3'],
  },
  'a release, with one package pinned to it': {
    options: ['--add-apt-release=newer', '--pin-packages=newer=other', '--apt-default-release=stable'],
    depends: 'ground, other',
    installed: ['ground=1', 'other=3'],
  },
  'a release, and pins that have to be given up': {
    options: ['--add-apt-release=newer', '--pin-packages=newer=lonely'],
    depends: 'lonely',
    installed: ['ground=3', 'lonely=3'],
    says: `${RETRY} newer`,
  },
  // As with 6.0: what was asked for stays. 5.28 forgets the default release with the last pin.
  'a release, and pins that have to be given up, with a default release in the way': {
    options: ['--add-apt-release=newer', '--pin-packages=newer=lonely', '--apt-default-release=stable'],
    depends: 'lonely',
    installed: null,
    says: OUTDATED,
    exitCode: 12,
    ownWay: true,
  },
  'an upgrade': {
    // 5.28 upgrades when its turn among the setup commands comes, 6.0 always after them.
    options: ['--setup-commands=apt-get install -y ground=1', '-U', NEWER],
    depends: 'ground',
    installed: ['ground=3'],
  },
};

let place: string;
let beds: Testbeds;

beforeAll(() => {
  place = mkdtempSync(path.join(tmpdir(), 'trundle-pins-'));
  beds = testbedsWithoutArchive();
  const admin = path.join(unpackedImage(packagesImage()), 'var/lib/dpkg');
  const query = [`--admindir=${admin}`, '--status', 'base-files'];
  makeArchive(path.join(place, 'archive'), SUITES, execFileSync('dpkg-query', query, { encoding: 'utf8' }));
  // 5.28 makes no release out of a line with [options].
  writeFileSync(path.join(place, 'sources.list'), 'deb file:/srv/archive stable main\n');
  writeFileSync(
    path.join(place, 'unsigned.conf'),
    'Acquire::AllowInsecureRepositories "true";\nAPT::Get::AllowUnauthenticated "true";\n',
  );
}, IMAGE_PATIENCE);
afterAll(() => {
  beds?.[Symbol.dispose]();
  rmSync(place, { recursive: true, force: true });
});

describeWith(
  ['autopkgtest', 'schroot', 'root', 'mounts', 'dpkg-source', 'archive'],
  'sources and pins, on a testbed with apt',
  () => {
    for (const [index, [name, each]] of Object.entries(CASES).entries()) {
      it(name, { timeout: IMAGE_PATIENCE }, async ({ expect }) => {
        const own = mkdtempSync(path.join(place, `case${index}-`));
        const { depends, installed, options, says, exitCode = 0 } = each;
        const source = makePackage(own, 'pkg', {
          control: `Tests: a\nDepends: ${depends}\n`,
          tests: {
            a: "dpkg-query -W -f '$" + '{Package}=$' + "{Version}\\n' ground other needy lonely 2>/dev/null || :\n",
          },
          built: true,
        });
        const words = [
          ...[
            '-B',
            ...USER,
            `--copy=${place}/archive:/srv/archive`,
            `--copy=${place}/sources.list:/etc/apt/sources.list`,
            `--copy=${place}/unsigned.conf:/etc/apt/apt.conf.d/99unsigned`,
          ],
          ...['--setup-commands=apt-get update', ...options, `${source}/`],
        ];
        const read = (side: string, file: string) => readFileSync(path.join(own, side, file), 'utf8');
        const [mine, reference] = await Promise.all([
          ours('mine', own, words, beds.unshare),
          each.ownWay ? null : theirs(own, words, beds.schroot),
        ]);
        expect(mine.exitCode, read('mine', 'log')).toBe(exitCode);
        if (installed !== null) expect(read('mine', 'a-stdout').trimEnd().split('\n')).toEqual(installed);
        if (says !== undefined) expect(read('mine', 'log')).toContain(says);
        else expect(read('mine', 'log')).not.toContain('unsatisfiable');
        if (reference === null) return;
        expect(mine).toEqual(reference);
        if (installed !== null) expect(read('mine', 'a-stdout')).toBe(read('theirs', 'a-stdout'));
        if (says !== undefined) expect(read('theirs', 'log')).toContain(says);
      });
    }
    it('packages of another architecture', { timeout: IMAGE_PATIENCE }, async ({ expect }) => {
      const own = mkdtempSync(path.join(place, 'foreign-'));
      const source = makePackage(own, 'pkg', {
        control:
          'Tests: a\nDepends: alien, other\n\nTests: b\nDepends:\nRestrictions: skip-foreign-architecture\n\nTests: c\nDepends:\nArchitecture: amd64\n',
        tests: {
          a:
            "dpkg-query -W -f '$" +
            "{Architecture}\\n' alien other; echo $AUTOPKGTEST_TESTBED_ARCH $AUTOPKGTEST_TEST_ARCH $DEB_BUILD_ARCH $DEB_HOST_ARCH $DEB_HOST_MULTIARCH\n",
          b: 'exit 1\n',
          c: 'exit 1\n',
        },
        files: {
          'debian/control':
            'Source: pkg\nMaintainer: A <a@example.org>\n\nPackage: alien\nArchitecture: any\nDescription: x\n',
        },
        built: true,
      });
      const words = [
        ...['-B', '-a', 'i386', ...USER, `--copy=${place}/archive:/srv/archive`],
        ...[`--copy=${place}/sources.list:/etc/apt/sources.list`],
        ...[`--copy=${place}/unsigned.conf:/etc/apt/apt.conf.d/99unsigned`, `${source}/`],
      ];
      const { exitCode, summary } = await ours('mine', own, words, beds.unshare);
      const read = (file: string) => readFileSync(path.join(own, 'mine', file), 'utf8');
      expect(exitCode, read('log')).toBe(2);
      expect(summary).toEqual([
        'b                    SKIP test arch is foreign and skip-foreign-architecture set',
        "c                    SKIP Test lists explicitly supported architectures, but the current architecture i386 isn't listed.",
        'a                    PASS',
      ]);
      expect(read('a-stdout')).toBe('i386\nall\namd64 i386 amd64 i386 i386-linux-gnu\n');
    });
  },
);
