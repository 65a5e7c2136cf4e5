import { rmSync } from 'node:fs';
import { afterAll, beforeAll, it } from 'vitest';
import { IMAGE_PATIENCE } from '../../support/images.ts';
import { describeWith, type Need } from '../../support/needs.ts';
import { CONTROL_CASES } from './cases/control.ts';
import { DEPENDS_CASES } from './cases/depends.ts';
import { SURROUNDINGS_CASES } from './cases/surroundings.ts';
import { TESTBED_CASES } from './cases/testbeds.ts';
import { VERDICTS_CASES } from './cases/verdicts.ts';
import { bothSides, newPlace, type Place, withoutReason } from './sides.ts';

/**
 * Rules about what a control file or the command line says, and about what a run's exit status is made of, which no testbed
 * has a part in: null shows them (control.test.ts, verdicts.test.ts).
 */
const NO_MATTER_WHERE = new Set([
  ...['names-parted-in-any-way', 'comments', 'field-names-in-any-case', 'empty-lines', 'unknown-field', 'old-hint'],
  ...['feature-unknown', 'a-slash-in-a-name', 'numbers-of-commands', 'chosen', 'chosen-twice', 'left-out'],
  ...['chosen-is-not-there', 'no-control-file', 'autodep8-not-wanted', 'described-elsewhere-and-wrong', 'valid'],
  ...['not-valid', 'no-name', 'two-kinds', 'empty-tests', 'bad-depends', 'name-for-many', 'two-names'],
  ...['unknown-restriction', 'described-elsewhere', 'code-2-by-a-skip', 'code-2-by-a-flaky-test', 'code-6'],
  ...['code-8-all-superficial', 'code-8-all-skipped', 'code-8-all-flaky', 'superficial-fails'],
  'superficial-and-a-skip',
]);

/** What both programs have to agree on in every kind of testbed; where two groups have a name, it is one rule. */
const CASES = [
  ...new Map(
    [
      ...CONTROL_CASES.filter(({ name }) => !NO_MATTER_WHERE.has(name)),
      ...VERDICTS_CASES.filter(({ name }) => !NO_MATTER_WHERE.has(name)),
      ...SURROUNDINGS_CASES,
      ...TESTBED_CASES,
    ].map((each) => [each.name, each]),
  ).values(),
];

/**
 * Tests every small package with both programs in one kind of testbed.
 * @param otherwise names of packages that are deliberately told otherwise there; docs/runner.md says why
 */
export function compareIn(
  name: string,
  needs: readonly Need[],
  where: () => Place,
  otherwise: readonly string[] = [],
): void {
  describeWith(['autopkgtest', 'autodep8', 'dpkg-source', 'root', 'mounts', 'mmdebstrap', ...needs], name, () => {
    let directory: string;
    let place: Place;
    beforeAll(() => {
      directory = newPlace();
      place = where();
    }, IMAGE_PATIENCE);
    afterAll(() => rmSync(directory, { recursive: true }));

    for (const test of CASES) {
      if (otherwise.includes(test.name)) continue;
      it.concurrent(test.name, async ({ expect }) => {
        const { theirs, mine } = await bothSides(directory, test, place);
        expect(mine).toEqual(theirs);
      });
    }

    for (const test of DEPENDS_CASES) {
      it.concurrent(`depends: ${test.name}`, async ({ expect }) => {
        const { theirs, mine } = await bothSides(directory, test, place);
        expect(withoutReason(mine)).toEqual(withoutReason(theirs));
      });
    }
  });
}
