import { rmSync } from 'node:fs';
import { afterAll, beforeAll, it } from 'vitest';
import { describeWith } from '../../support/needs.ts';
import { VERDICTS_CASES } from '../support/cases/verdicts.ts';
import { bothSides, newPlace } from '../support/sides.ts';

let directory: string;
beforeAll(() => {
  directory = newPlace();
});
afterAll(() => rmSync(directory, { recursive: true }));

describeWith(['autopkgtest', 'dpkg-source', 'root', 'mounts'], 'Trundle and autopkgtest judge alike', () => {
  for (const test of VERDICTS_CASES) {
    it.concurrent(test.name, async ({ expect }) => {
      const { theirs, mine } = await bothSides(directory, test);
      expect(mine).toEqual(theirs);
    });
  }
});
