import { rmSync } from 'node:fs';
import { afterAll, beforeAll, it } from 'vitest';
import { describeWith } from '../../support/needs.ts';
import { SURROUNDINGS_CASES } from '../support/cases/surroundings.ts';
import { bothSides, newPlace } from '../support/sides.ts';

let directory: string;
beforeAll(() => {
  directory = newPlace();
});
afterAll(() => rmSync(directory, { recursive: true }));

describeWith(['autopkgtest', 'dpkg-source', 'root', 'mounts'], 'Trundle and autopkgtest give a test the same', () => {
  for (const test of SURROUNDINGS_CASES) {
    it.concurrent(test.name, async ({ expect }) => {
      const { theirs, mine } = await bothSides(directory, test);
      expect(mine).toEqual(theirs);
    });
  }
});
