import { rmSync } from 'node:fs';
import { afterAll, beforeAll, it } from 'vitest';
import { describeWith } from '../../support/needs.ts';
import { CONTROL_CASES } from '../support/cases/control.ts';
import { bothSides, newPlace } from '../support/sides.ts';

let directory: string;
beforeAll(() => {
  directory = newPlace();
});
afterAll(() => rmSync(directory, { recursive: true }));

describeWith(['autopkgtest', 'autodep8', 'dpkg-source', 'root', 'mounts'], 'Trundle and autopkgtest read alike', () => {
  for (const test of CONTROL_CASES) {
    it.concurrent(test.name, async ({ expect }) => {
      const { theirs, mine } = await bothSides(directory, test);
      expect(mine).toEqual(theirs);
    });
  }
});
