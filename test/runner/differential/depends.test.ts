import { rmSync } from 'node:fs';
import { afterAll, beforeAll, it } from 'vitest';
import { describeWith } from '../../support/needs.ts';
import { DEPENDS_CASES } from '../support/cases/depends.ts';
import { bothSides, HOUSE, newPlace, withoutArchive, withoutReason } from '../support/sides.ts';

/** The reference installs a package of its own for dependencies, even where nothing is missing: not on this machine. */
const OWN_DPKG = `${HOUSE}
mkdir /mnt/tmp /mnt/upper /mnt/work
mount --bind /var/tmp /mnt/tmp
mount -t overlay overlay -o lowerdir=/var,upperdir=/mnt/upper,workdir=/mnt/work /var
mount --bind /mnt/tmp /var/tmp
${withoutArchive('')}`;

let directory: string;
beforeAll(() => {
  directory = newPlace();
});
afterAll(() => rmSync(directory, { recursive: true }));

describeWith(
  ['autopkgtest', 'dpkg-source', 'root', 'mounts'],
  'Trundle and autopkgtest judge dependencies alike',
  () => {
    for (const test of DEPENDS_CASES) {
      it(test.name, async ({ expect }) => {
        const { theirs, mine } = await bothSides(directory, test, { box: OWN_DPKG, server: ['null'] });
        expect(withoutReason(mine)).toEqual(withoutReason(theirs));
      });
    }
  },
);
