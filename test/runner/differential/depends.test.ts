import { rmSync } from 'node:fs';
import { afterAll, beforeAll, it } from 'vitest';
import { describeWith } from '../../support/needs.ts';
import { makePackage } from '../support/packages.ts';
import { type Case, HOUSE, newPlace, type Observed, ours, reference } from '../support/sides.ts';

/** The reference installs a package of its own for dependencies, even where nothing is missing: not on this machine. */
const OWN_DPKG = `${HOUSE}
mkdir /mnt/tmp /mnt/upper /mnt/work
mount --bind /var/tmp /mnt/tmp
mount -t overlay overlay -o lowerdir=/var,upperdir=/mnt/upper,workdir=/mnt/work /var
mount --bind /mnt/tmp /var/tmp`;

const CASES: readonly Case[] = [
  {
    name: 'installed',
    control:
      'Tests: a\nDepends: coreutils (>= 1), dash | no-such-package, no-such-package [s390x], libc6 [linux-any]\n',
    tests: { a: 'echo a\n' },
  },
  {
    name: 'not-installable',
    control:
      'Tests: a\nDepends: no-such-package\n\nTests: b\nDepends: no-such-package\nRestrictions: skip-not-installable\n\nTests: c\nDepends:\n',
    tests: { a: 'echo a\n', b: 'echo b\n', c: 'echo c\n' },
  },
  {
    name: 'code-14',
    control: 'Tests: a\nDepends: coreutils (>= 999)\n\nTests: b\nDepends:\nRestrictions: odd\n',
    tests: { a: 'echo a\n', b: 'echo b\n' },
  },
];

let directory: string;
beforeAll(() => {
  directory = newPlace();
});
afterAll(() => rmSync(directory, { recursive: true }));

describeWith(
  ['autopkgtest', 'dpkg-source', 'root', 'mounts'],
  'Trundle and autopkgtest judge dependencies alike',
  () => {
    for (const test of CASES) {
      it(test.name, async ({ expect }) => {
        const source = makePackage(directory, test.name, test);
        const [theirs, mine] = await Promise.all([
          reference(directory, test, source, OWN_DPKG),
          ours(directory, test, source, OWN_DPKG),
        ]);
        expect(withoutReason(mine)).toEqual(withoutReason(theirs));
      });
    }
  },
);

/** apt's reason and ours differ in words, and on stdout apt tells all that it tries. */
function withoutReason({ exitCode, summary, files }: Observed) {
  const plain = (text: string) => text.replace(/^badpkg: .*$/, 'badpkg: REASON');
  return { exitCode, names: Object.keys(files), summary: summary.map(plain) };
}
