import { rmSync } from 'node:fs';
import { afterAll, beforeAll, it } from 'vitest';
import { describeWith } from '../../support/needs.ts';
import { SURROUNDINGS_CASES } from '../support/cases/surroundings.ts';
import { bothSides, HOUSE, newPlace } from '../support/sides.ts';

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

  it.concurrent('but for the environment that they were started in', async ({ expect }) => {
    const proxy = 'http_proxy=http://proxy.invalid:3128';
    const asked = `case $http_proxy in ?*) echo "$http_proxy" ;; *) echo none ;; esac\n`;
    const test = { name: 'environment', control: 'Tests: a\nDepends:\n', tests: { a: asked } };
    const house = { box: `${HOUSE}\nexport ${proxy}`, server: ['null'] };
    const { theirs, mine } = await bothSides(directory, test, house);
    expect([theirs.stdout, mine.stdout].map((text) => /^(http:.*|none)$/m.exec(text)?.[1])).toEqual([
      'http://proxy.invalid:3128',
      'none',
    ]);
    const given = { ...test, name: 'environment-given', env: [proxy] };
    const both = await bothSides(directory, given);
    expect(both.mine).toEqual(both.theirs);
  });
});
