import fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { handedOn, lacks, read, whole } from '../unit/runner/support/asDpkg.ts';
import { type Installed, installed, plainlyWanted, wanted } from '../unit/runner/support/dependencies.ts';
import { AptWorld } from './support/AptWorld.ts';
import { type Entry, numbered, numberedPackage } from './support/statusFile.ts';

/** A package that depends on what a test does, as apt is told it. */
const asker = (index: number, depends: string): Entry => ({
  name: `asker${index}`,
  version: '1',
  architecture: 'amd64',
  multiArch: 'no',
  provides: '',
  ...(depends === '' ? {} : { depends }),
});

/**
 * Where apt has a way of its own: what is for all architectures is of the testbed's too, which dpkg-checkbuilddeps does
 * not say; and where one of an architecture is asked for, what provides the name counts with its own version.
 */
const differs = (packages: readonly Installed[], text: string): boolean =>
  (/:amd64/.test(text) && packages.some(({ architecture }) => architecture === 'all')) ||
  (/:(amd64|i386|arm64)\s*\(/.test(text) && packages.some(({ provides }) => provides !== ''));

describeWith(['apt-get'], 'what apt decides, in thousands of cases', () => {
  it('the same is missing: versions, qualifiers, architectures, and what provides a name', async () => {
    const apt = new AptWorld(workplace());
    const cases = fc.array(fc.tuple(installed, plainlyWanted), { minLength: 30, maxLength: 60, size: 'max' });
    const property = fc.asyncProperty(cases, async (all) => {
      const texts = all.map(([, text], index) => numbered(text, index));
      const there = all.flatMap(([packages], index) => packages.map((one) => numberedPackage(one, index)));
      const unmet = await apt.unmet([...there, ...texts.map((text, index) => asker(index, handedOn(text, 'amd64')))]);
      for (const [index, [packages, text]] of all.entries()) {
        if (differs(packages, text)) continue;
        const where = `${text} with ${JSON.stringify(packages)}`;
        expect(lacks(packages, text, 'amd64'), where).toBe(unmet.has(`asker${index}`));
      }
    });
    await fc.assert(property, { numRuns: 40 });
  });

  it('what it is given means to it what the field means', async () => {
    const apt = new AptWorld(workplace());
    const property = fc.asyncProperty(installed, wanted, async (packages, text) => {
      const given = handedOn(text, 'amd64');
      const met = given === '' || (await apt.satisfies(packages, given));
      // The field as dpkg writes it: apt does not know `>`, and crashes at `[  amd64]`.
      expect(met, given).toBe(await apt.satisfies(packages, whole(read(text))));
    });
    await fc.assert(property, { numRuns: 150 });
  });
});
