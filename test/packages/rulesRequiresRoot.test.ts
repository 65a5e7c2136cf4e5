import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { makePackage } from '../runner/support/packages.ts';
import { IMAGE_PATIENCE } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { ours, theirs } from './support/bothSides.ts';
import { type Testbeds, testbedsWithoutArchive, USER } from './support/testbeds.ts';

const control = (field: string) => `Source: greeter
Section: misc
Maintainer: A <a@example.org>
${field}
Package: greeter
Architecture: all
Description: greets
`;

/**
 * Tells of each target whose process it is, and who that takes itself for: fakeroot answers the second question. Owners
 * in the package are whom dpkg-deb takes the builder for.
 */
const RULES = `#!/usr/bin/make -f
tell = echo $@ by $$(sed -n 's/^Uid:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/self/status), as $$(id -u) >>told
clean:
	$(tell)
	rm -rf built debian/greeter debian/files
build: built
built:
	$(tell)
	touch built
binary: built
	$(tell)
	mkdir -p debian/greeter/DEBIAN debian/greeter/usr/share/greeter
	echo hello >debian/greeter/usr/share/greeter/greeting
	dpkg-gencontrol -pgreeter -Pdebian/greeter
	dpkg-deb --build debian/greeter ..
	dpkg-deb --contents ../greeter_*.deb | sed -n 's/^[^ ]* \\([^ ]*\\) .*greeting$$/owned by \\1/p' >>told
`;

const BY_FAKEROOT = ['clean by 1000, as 0', 'built by 1000, as 1000', 'binary by 1000, as 0', 'owned by root/root'];
const BY_THE_USER = [
  'clean by 1000, as 1000',
  'built by 1000, as 1000',
  'binary by 1000, as 1000',
  'owned by user/user',
];

/** What debian/control says of it, and what its targets then tell. */
const CASES: readonly (readonly [name: string, field: string, told: readonly string[]])[] = [
  ['Rules-Requires-Root: no', 'Rules-Requires-Root: no\n', BY_THE_USER],
  ['no Rules-Requires-Root, which means binary-targets', '', BY_FAKEROOT],
];

let place: Testbeds;
let directory: string;
beforeAll(() => {
  place = testbedsWithoutArchive();
  directory = mkdtempSync(path.join(tmpdir(), 'trundle-rules-'));
}, IMAGE_PATIENCE);
afterAll(() => {
  place?.[Symbol.dispose]();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

describeWith(
  ['root', 'schroot', 'mmdebstrap', 'autopkgtest', 'overlay', 'archive', 'dpkg-source'],
  'an ordinary user builds with fakeroot what asks for root, for a test that needs the build',
  () => {
    for (const [index, [name, field, told]] of CASES.entries()) {
      it(name, async ({ expect }) => {
        const own = mkdtempSync(path.join(directory, `case${index}-`));
        const tree = makePackage(own, 'greeter', {
          control: 'Test-Command: cat told; test -e built\nDepends:\nRestrictions: build-needed\n',
          files: {
            'debian/control': control(field),
            'debian/rules': RULES,
            'debian/source/format': '3.0 (native)\n',
          },
        });
        const words = [...USER, '-B', tree];
        const [reference, mine] = await Promise.all([
          theirs(own, words, place.schroot),
          ours('ours', own, words, place.unshare),
        ]);
        expect(mine).toEqual(reference);
        expect(reference.exitCode).toBe(0);
        const tell = (side: string) =>
          readFileSync(path.join(own, side, 'command1-stdout'), 'utf8')
            .trim()
            .split('\n');
        expect(['theirs', 'ours'].map(tell)).toEqual([told, told]);
      });
    }
  },
);
