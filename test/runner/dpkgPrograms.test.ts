import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { matchesArchitecture } from '../../src/runner/control/architecture.ts';
import { fieldText, RelationError } from '../../src/runner/control/relations.ts';
import { parseSourceControl } from '../../src/runner/control/sourceControl.ts';
import { compareVersions, isVersion } from '../../src/runner/control/version.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { asked, lacks, mayDiffer, read } from '../unit/runner/support/asDpkg.ts';
import { CompareVersions } from '../unit/runner/support/CompareVersions.ts';
import {
  anything,
  architecture,
  damaged,
  field,
  installed,
  version,
  wanted,
} from '../unit/runner/support/dependencies.ts';
import { Dpkg } from '../unit/runner/support/dpkg.ts';
import { numbered, numberedPackage, statusFile } from './support/statusFile.ts';

interface Ended {
  readonly status: number;
  readonly said: string;
}

let perl: Dpkg;
beforeAll(() => {
  perl = new Dpkg();
});
afterAll(() => perl[Symbol.asyncDispose]());

const program = (name: string, ...words: readonly string[]) => perl.ask<Ended>('program', `/usr/bin/${name}`, ...words);

/** Dependencies that one call of dpkg-checkbuilddeps is asked about. */
const AT_ONCE = 60;
const many = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 20, maxLength: AT_ONCE, size: 'max' });

describeWith(['dpkg-source'], 'what the programs of dpkg decide, in thousands of cases', () => {
  it('versions are in the order of dpkg --compare-versions', async () => {
    const shell = forThisTest(new CompareVersions());
    const property = fc.asyncProperty(version, version, async (left, right) => {
      const relation = ['lt', 'eq', 'gt'][Math.sign(compareVersions(left, right)) + 1] as string;
      expect(await shell.ask(left, relation, right)).toEqual({ status: 0, said: '' });
    });
    await fc.assert(property, { numRuns: 1500 });
  });

  it('what is a version for dpkg --compare-versions is one', async () => {
    const shell = forThisTest(new CompareVersions());
    const epoch = fc.constantFrom('0', '007', '2147483647', '2147483648', '99999999999999999999');
    const text = fc.oneof(
      anything,
      fc.tuple(epoch, version).map((parts) => parts.join(':')),
    );
    const property = fc.asyncProperty(text, async (one) => {
      // No version at all is something else to it, white space around one is nothing, and a dash begins an option.
      fc.pre(one !== '' && !/^[\s-]|[\s]$|\n|\0/.test(one));
      const { said } = await shell.ask(one, 'eq', one);
      expect(isVersion(one), said).toBe(said === '');
    });
    await fc.assert(property, { numRuns: 700 });
  });

  it('a wildcard means the architectures that dpkg-architecture lists for it', async () => {
    const known = (await program('dpkg-architecture', '-L')).said.trim().split('\n');
    expect(known.length).toBeGreaterThan(100);
    const word = fc.constantFrom('any', 'linux', 'gnu', 'musl', 'base', 'eabi', 'eabihf', 'hurd', 'kfreebsd', 'bsd');
    const cpu = fc.constantFrom('any', 'amd64', 'arm', 'i386', 'mips64el', 'powerpc', 'arm64', 'sh4');
    const name = fc.constantFrom(...known);
    const wildcard = fc.oneof(
      fc.tuple(fc.array(word, { maxLength: 3 }), cpu).map(([words, last]) => [...words, last].join('-')),
      name,
      name.map((each) => `linux-${each}`),
    );
    const property = fc.asyncProperty(wildcard, async (pattern) => {
      const { said } = await program('dpkg-architecture', '-L', '-W', pattern);
      const listed = said.split('\n').filter((line) => line !== '');
      expect(known.filter((name) => matchesArchitecture(name, pattern))).toEqual(listed);
    });
    await fc.assert(property, { numRuns: 60 });
  });

  it('the same is missing as for dpkg-checkbuilddeps', async () => {
    const directory = workplace();
    const property = fc.asyncProperty(many(fc.tuple(installed, wanted)), async (cases) => {
      const status = cases.flatMap(([packages], index) => packages.map((one) => numberedPackage(one, index)));
      writeFileSync(join(directory, 'status'), statusFile(status));
      const unmet = await unmetOf(
        directory,
        'amd64',
        cases.map(([, text], index) => numbered(text, index)),
      );
      for (const [index, [packages, text]] of cases.entries()) {
        const mine = lacks(packages, text, 'amd64');
        const where = `${text} with ${JSON.stringify(packages)}`;
        if (mayDiffer(packages)) expect(mine || !unmet.has(index), where).toBe(true);
        else expect(mine, where).toBe(unmet.has(index));
      }
    });
    await fc.assert(property, { numRuns: 50 });
  });

  it('a control file asks for what dpkg-checkbuilddeps reads in it, for each architecture', async () => {
    const directory = workplace();
    writeFileSync(join(directory, 'status'), '');
    const property = fc.asyncProperty(many(field), architecture, async (fields, host) => {
      // Each package of its own name: of two dependencies on one, dpkg names that which takes in the other.
      let count = 0;
      const text = fields.map((one) => one.replace(/(^|[,|] )/g, (start) => `${start}p${count++}-`));
      const { control, unmet } = await askControl(directory, host, text);
      const mine = fieldText(asked('@builddeps@', host, parseSourceControl(control)).slice(0, -1));
      // Build-Depends-Arch comes before Build-Depends-Indep there, and after it here.
      expect(mine.split(', ').sort()).toEqual(unmet.split(', ').sort());
    });
    await fc.assert(property, { numRuns: 30 });
  });

  it('what dpkg-checkbuilddeps cannot read is refused', async () => {
    const directory = workplace();
    writeFileSync(join(directory, 'status'), '');
    const property = fc.asyncProperty(damaged, async (text) => {
      const { status, said } = await program('dpkg-checkbuilddeps', ...options(directory, 'amd64'), ...given(text));
      // The other way about, the runner refuses more: versions that are none, alternatives that are not there.
      if (![0, 1].includes(status)) expect(readable(text), said).toBe(false);
    });
    await fc.assert(property, { numRuns: 150 });
  });
});

const options = (admindir: string, host: string) => ['-I', '-a', host, '-P', '', `--admindir=${admindir}`];
const given = (text: string) => ['-d', text, '-c', '', '/dev/null'];

function readable(text: string): boolean {
  try {
    read(text);
    return true;
  } catch (error) {
    if (!(error instanceof RelationError)) throw error;
    return false;
  }
}

/** The numbers of the dependencies that are not met. */
async function unmetOf(directory: string, host: string, fields: readonly string[]): Promise<Set<number>> {
  const { unmet } = await askControl(directory, host, fields);
  return new Set([...unmet.matchAll(/p(\d+)-/g)].map(([, index]) => Number(index)));
}

/** Has a control file with these dependencies, in all three fields and folded, read by dpkg-checkbuilddeps. */
async function askControl(directory: string, host: string, fields: readonly string[]) {
  const part = (first: number) => fields.filter((_, index) => index % 3 === first).join(',\n ');
  const names = ['Build-Depends', 'Build-Depends-Arch', 'Build-Depends-Indep'];
  const lines = names.map((name, index) => `${name}: ${part(index)}`).filter((line) => !line.endsWith(': '));
  const control = ['Source: sample', ...lines, '', 'Package: sample', 'Architecture: any', ''].join('\n');
  writeFileSync(join(directory, 'control'), control);
  const { status, said } = await program(
    'dpkg-checkbuilddeps',
    ...options(directory, host),
    join(directory, 'control'),
  );
  expect([0, 1], said).toContain(status);
  const [, list = ''] = /Unmet build dependencies: (.*)\n/.exec(said) ?? [];
  // It puts them one after the other with a space.
  return { control, unmet: list.replace(/(?<!\|) (?=p\d+-)/g, ', ') };
}
