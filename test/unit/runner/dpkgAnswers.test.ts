import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listCovers, matchesArchitecture } from '../../../src/runner/control/architecture.ts';
import { parseDeb822 } from '../../../src/runner/control/deb822.ts';
import {
  type Alternatives,
  applies,
  type PackageRelation,
  parseAlternatives,
  RelationError,
  splitField,
} from '../../../src/runner/control/relations.ts';
import { compareVersions, isVersion } from '../../../src/runner/control/version.ts';
import { missing, parseInstalled } from '../../../src/runner/dependencies/installedPackages.ts';
import { BadPackageError } from '../../../src/runner/errors.ts';
import { describeWith } from '../../support/needs.ts';
import { workplace } from '../../support/workplace.ts';
import { Dpkg } from './support/dpkg.ts';

interface Installed {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly multiArch: string;
  readonly provides: string;
}

let dpkg: Dpkg;
beforeAll(() => {
  dpkg = new Dpkg();
});
afterAll(() => dpkg[Symbol.asyncDispose]());

const space = fc.constantFrom('', ' ', '  ');

const version = fc
  .tuple(
    fc.constantFrom('', '', '0:', '1:', '2:'),
    fc.stringMatching(/^[0-9]([a-cA-C0-2.+~-]{0,5}[a-c0-2.+~])?$/),
    fc.constantFrom('', '', '-1', '-0', '-1~bpo12+1', '-1+b1'),
  )
  .map((parts) => parts.join(''));
/** Mostly what looks like a version at first glance. */
const anything = fc.oneof(version, fc.stringMatching(/^[0-9a:.+~_ -]{0,6}$/), fc.string({ maxLength: 5 }));

const ARCHITECTURES = ['amd64', 'i386', 'arm64', 'armhf', 'armel', 'x32', 'hurd-i386', 'kfreebsd-amd64'];
const WILDCARDS = ['any', 'linux-any', 'any-amd64', 'any-arm', 'any-i386', 'hurd-any', 'gnu-any-any', 'musl-linux-any'];
const architecture = fc.constantFrom(...ARCHITECTURES);
const list = fc
  .tuple(fc.boolean(), fc.array(fc.constantFrom(...ARCHITECTURES, ...WILDCARDS), { minLength: 1, maxLength: 3 }))
  .map(([not, names]) => names.map((name) => (not ? `!${name}` : name)));
const profiles = fc
  .array(fc.array(fc.constantFrom('nocheck', '!nocheck', 'stage1', '!cross'), { minLength: 1, maxLength: 2 }), {
    minLength: 1,
    maxLength: 2,
  })
  .map((lists) => lists.map((terms) => `<${terms.join(' ')}>`).join(' '));

const NAMES = ['aa', 'bb', 'c+', 'd.d'];
const part = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: null, freq: 1 });
/** One package of a dependency, with or without each of its parts, spaced in any way. */
const relation = fc
  .record({
    name: fc.constantFrom(...NAMES),
    qualifier: part(fc.constantFrom('any', 'native', 'amd64', 'i386')),
    version: part(fc.tuple(fc.constantFrom('<<', '<=', '=', '>=', '>>', '<', '>'), space, version, space)),
    list: part(list),
    profiles: part(profiles),
    space,
  })
  .map(({ name, qualifier, version: limit, list: architectures, profiles: formula, space: gap }) =>
    [
      qualifier === null ? name : `${name}:${qualifier}`,
      ...(limit === null ? [] : [`${gap}(${limit.join('')})`]),
      ...(architectures === null ? [] : [`${gap}[${gap}${architectures.join(' ')}]`]),
      ...(formula === null ? [] : [` ${formula}`]),
    ].join(''),
  );
const field = fc
  .array(
    fc.array(relation, { minLength: 1, maxLength: 3 }).map((alternatives) => alternatives.join(' | ')),
    { minLength: 1, maxLength: 3 },
  )
  .map((entries) => entries.join(', '));
/** A field with something in it that does not belong there. */
const damaged = fc
  .tuple(field, fc.nat(), fc.constantFrom(...'()[]<>|:!=, x'), fc.nat({ max: 2 }))
  .map(([text, at, what, gone]) => {
    const index = at % (text.length + 1);
    return text.slice(0, index) + what + text.slice(index + gone);
  });

const read = (text: string): Alternatives[] => splitField(text).map(parseAlternatives);

/** As dpkg writes it. */
function written({ package: name, qualifier, version: limit, architectures, profiles: formula }: PackageRelation) {
  return [
    qualifier === null ? name : `${name}:${qualifier}`,
    ...(limit === null ? [] : [`(${limit.relation} ${limit.version})`]),
    ...(architectures.length === 0 ? [] : [`[${architectures.join(' ')}]`]),
    ...formula.map((terms) => `<${terms.join(' ')}>`),
  ].join(' ');
}
const whole = (relations: readonly Alternatives[]) =>
  relations.map((alternatives) => alternatives.map(written).join(' | ')).join(', ');

describeWith(['dpkg-source'], 'what Debian tools decide, in thousands of cases', () => {
  it('versions are in the order that dpkg puts them in', async () => {
    const property = fc.asyncProperty(version, version, async (left, right) => {
      expect(Math.sign(compareVersions(left, right))).toBe(Math.sign(await dpkg.ask<number>('compare', left, right)));
    });
    await fc.assert(property, { numRuns: 2000 });
  });

  it('versions are in the order of dpkg --compare-versions', async () => {
    const pairs = fc.sample(fc.tuple(version, version), 200);
    const answers = await compareAll(pairs);
    expect(pairs.map(([left, right]) => Math.sign(compareVersions(left, right)))).toEqual(answers);
  });

  it('what is a version for dpkg is one', async () => {
    const property = fc.asyncProperty(anything, async (text) => {
      // Its C library refuses a colon at the end; its Perl library does not.
      fc.pre(!text.endsWith(':'));
      expect(isVersion(text)).toBe(await dpkg.ask('version', text));
    });
    await fc.assert(property, { numRuns: 2000 });
  });

  it('every wildcard means the architectures that it means to dpkg', async () => {
    const all = await dpkg.ask<string[]>('architectures');
    expect(all.length).toBeGreaterThan(100);
    const names = fc.constantFrom(...all);
    const word = fc.constantFrom('any', 'linux', 'gnu', 'musl', 'base', 'eabi', 'eabihf', 'hurd', 'kfreebsd', 'bsd');
    const cpu = fc.constantFrom('any', 'amd64', 'arm', 'i386', 'mips64el', 'powerpc', 'arm64', 'sh4');
    const wildcard = fc.oneof(
      names,
      fc.tuple(word, cpu).map((words) => words.join('-')),
      fc.tuple(word, word, cpu).map((words) => words.join('-')),
      fc.tuple(word, word, word, cpu).map((words) => words.join('-')),
    );
    const property = fc.asyncProperty(names, wildcard, async (name, pattern) => {
      expect(matchesArchitecture(name, pattern)).toBe(await dpkg.ask('is', name, pattern));
    });
    await fc.assert(property, { numRuns: 3000 });
  });

  it('and to dpkg-architecture', async () => {
    const property = fc.asyncProperty(
      architecture,
      fc.constantFrom(...ARCHITECTURES, ...WILDCARDS),
      async (one, is) => {
        const words = ['/usr/bin/dpkg-architecture', '-f', '-a', one, '-i', is];
        const { status } = await dpkg.ask<{ status: number }>('program', ...words);
        expect(matchesArchitecture(one, is)).toBe(status === 0);
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });

  it('a list covers the architectures that it concerns for dpkg', async () => {
    const property = fc.asyncProperty(architecture, list, async (host, entries) => {
      expect(listCovers(entries, host)).toBe(await dpkg.ask('concerned', host, ...entries));
    });
    await fc.assert(property, { numRuns: 2000 });
  });

  it('dependencies are read as dpkg reads them', async () => {
    const property = fc.asyncProperty(field, async (text) => {
      expect(whole(read(text))).toBe(await dpkg.ask('parse', text));
    });
    await fc.assert(property, { numRuns: 2000 });
  });

  it('what dpkg cannot read is refused, and what it can read means the same', async () => {
    const property = fc.asyncProperty(damaged, async (text) => {
      const theirs = await dpkg.ask<string | null>('parse', text);
      let mine: string | null;
      try {
        mine = whole(read(text));
      } catch (error) {
        if (!(error instanceof RelationError)) throw error;
        mine = null;
      }
      // dpkg does not mind an alternative that is not there; of what a test depends on, autopkgtest does.
      if (mine === null && /\|\s*(,|$)/.test(text)) return;
      // Nor does it look at versions while it reads.
      if (mine === null && theirs !== null) expect(await versionsIn(theirs), text).toContain(false);
      else expect(mine, text).toBe(theirs);
    });
    await fc.assert(property, { numRuns: 2000 });
  });

  it('the same falls away for other architectures and build profiles', async () => {
    const property = fc.asyncProperty(field, architecture, async (text, host) => {
      const here = read(text)
        .map((alternatives) => alternatives.filter((each) => applies(each, host)))
        .filter(({ length }) => length > 0);
      const bare = whole(here.map((each) => each.map((one) => ({ ...one, architectures: [], profiles: [] }))));
      const theirs = await dpkg.ask<string>('reduce', text, host);
      expect(bare).toBe(theirs);
    });
    await fc.assert(property, { numRuns: 2000 });
  });

  const installed = fc.uniqueArray(
    fc.record({
      name: fc.constantFrom(...NAMES),
      version: fc.constantFrom('1', '1.0-1', '2~rc1', '2', '1:0'),
      architecture: fc.constantFrom('amd64', 'all', 'i386'),
      multiArch: fc.constantFrom('no', 'same', 'foreign', 'allowed'),
      provides: fc.constantFrom('', '', 'aa', 'bb (= 1)', 'c+, d.d (= 2)'),
    }),
    { selector: ({ name }) => name, maxLength: 4 },
  );
  const wanted = fc.array(relation, { minLength: 1, maxLength: 2 }).map((alternatives) => alternatives.join(' | '));
  /** @param lacking whether something is, for dpkg */
  const compare = (packages: readonly Installed[], text: string, lacking: boolean) => {
    const rows = packages.map((one) =>
      ['installed', one.name, one.version, one.architecture, one.multiArch, one.provides].join('\t'),
    );
    const depends = read(text)
      .map((alternatives) => alternatives.filter((each) => applies(each, 'amd64')))
      .filter(({ length }) => length > 0);
    const mine = missing(depends, parseInstalled(rows.join('\n')), 'amd64').length > 0;
    // dpkg-checkbuilddeps takes whatever provides a name for good, of any architecture and under any qualifier; apt
    // and dpkg itself do not.
    const provided = packages.some(({ provides }) => provides !== '');
    if (provided) expect(mine || !lacking).toBe(true);
    else expect(mine).toBe(lacking);
  };

  it('the same is missing as for dpkg', async () => {
    const property = fc.asyncProperty(installed, wanted, async (packages, text) => {
      await dpkg.ask(
        'facts',
        ...packages.map((one) => [one.name, one.version, one.architecture, one.multiArch, one.provides]),
      );
      compare(packages, text, !(await dpkg.ask<boolean>('satisfied', text, 'amd64')));
    });
    await fc.assert(property, { numRuns: 2000 });
  });

  it('and for dpkg-checkbuilddeps', async () => {
    const directory = workplace();
    const property = fc.asyncProperty(installed, wanted, async (packages, text) => {
      writeFileSync(join(directory, 'status'), packages.map(statusStanza).join('\n'));
      const words = ['-a', 'amd64', '-P', '', `--admindir=${directory}`, '-d', text, '-c', '', '/dev/null'];
      const { status, said } = await dpkg.ask<{ status: number; said: string }>(
        'program',
        '/usr/bin/dpkg-checkbuilddeps',
        ...words,
      );
      expect([0, 1], said).toContain(status);
      compare(packages, text, status === 1);
    });
    await fc.assert(property, { numRuns: 50 });
  });

  it('control files are read as dpkg reads them', async () => {
    const name = fc.constantFrom('Tests', 'Depends', 'X-y', 'features');
    const line = fc.oneof(
      fc
        .tuple(name, space, fc.constantFrom('', 'a', 'a b', 'x: y', ', '))
        .map(([key, gap, value]) => `${key}:${gap}${value}`),
      fc.constantFrom(' more', '\tmore', '  even more', '# a comment', '', ''),
      fc.constantFrom('no field', ':', '-x: y', 'a b: c', ' '),
    );
    const file = fc.array(line, { maxLength: 8 }).map((lines) => `${lines.join('\n')}\n`);
    const property = fc.asyncProperty(file, async (text) => {
      const theirs = await dpkg.ask<Record<string, string>[] | null>('control', text);
      const mine = readControl(text);
      // A line of spaces ends a stanza in both; dpkg refuses only what also autopkgtest passes over silently.
      expect(mine).toEqual(theirs === null ? null : theirs.map(plainStanza));
    });
    await fc.assert(property, { numRuns: 2000 });
  });
});

/** Whether each version of a dependency is one to dpkg. */
async function versionsIn(text: string): Promise<boolean[]> {
  const answers: boolean[] = [];
  for (const [, limit] of text.matchAll(/\(\S+ ([^)]*)\)/g)) answers.push(await dpkg.ask<boolean>('version', limit));
  return answers;
}

function statusStanza(one: Installed) {
  return [
    `Package: ${one.name}`,
    'Status: install ok installed',
    `Version: ${one.version}`,
    `Architecture: ${one.architecture}`,
    ...(one.multiArch === 'no' ? [] : [`Multi-Arch: ${one.multiArch}`]),
    ...(one.provides === '' ? [] : [`Provides: ${one.provides}`]),
    '',
  ].join('\n');
}

function readControl(text: string): Record<string, string>[] | null {
  try {
    return parseDeb822(text, 'a file').map(({ fields }) =>
      Object.fromEntries([...fields.values()].map((each) => [each.name.toLowerCase(), each.value])),
    );
  } catch (error) {
    if (!(error instanceof BadPackageError)) throw error;
    return null;
  }
}

/** Names without regard to case, and folded lines joined. */
function plainStanza(stanza: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(stanza).map(([name, value]) => [
      name.toLowerCase(),
      value
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '')
        .join(' '),
    ]),
  );
}

/** -1, 0 or 1 for each pair, by the program itself. */
async function compareAll(pairs: readonly (readonly [string, string])[]): Promise<number[]> {
  const script = `while read -r left right; do
  if dpkg --compare-versions "$left" eq "$right"; then echo 0
  elif dpkg --compare-versions "$left" lt "$right"; then echo -1; else echo 1; fi
done`;
  const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  const closed = once(shell, 'close');
  shell.stdin.end(pairs.map((pair) => `${pair.join(' ')}\n`).join(''));
  const answers: number[] = [];
  for await (const line of createInterface({ input: shell.stdout })) answers.push(Number(line));
  await closed;
  return answers;
}
