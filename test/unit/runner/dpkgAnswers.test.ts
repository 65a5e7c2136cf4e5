import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listCovers, matchesArchitecture } from '../../../src/runner/control/architecture.ts';
import { parseDeb822 } from '../../../src/runner/control/deb822.ts';
import { RelationError } from '../../../src/runner/control/relations.ts';
import { compareVersions, isVersion } from '../../../src/runner/control/version.ts';
import { BadPackageError } from '../../../src/runner/errors.ts';
import { describeWith } from '../../support/needs.ts';
import { bare, lacks, mayDiffer, read, reduced, whole } from './support/asDpkg.ts';
import {
  anything,
  architecture,
  damaged,
  field,
  installed,
  list,
  space,
  version,
  wanted,
} from './support/dependencies.ts';
import { Dpkg } from './support/dpkg.ts';

let dpkg: Dpkg;
beforeAll(() => {
  dpkg = new Dpkg();
});
afterAll(() => dpkg[Symbol.asyncDispose]());

describeWith(['dpkg-source'], 'what Debian tools decide, in thousands of cases', () => {
  it('versions are in the order that dpkg puts them in', async () => {
    const property = fc.asyncProperty(version, version, async (left, right) => {
      expect(Math.sign(compareVersions(left, right))).toBe(Math.sign(await dpkg.ask<number>('compare', left, right)));
    });
    await fc.assert(property, { numRuns: 2000 });
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
      const theirs = await dpkg.ask<string>('reduce', text, host);
      expect(bare(reduced(text, host))).toBe(theirs);
    });
    await fc.assert(property, { numRuns: 2000 });
  });

  it('the same is missing as for dpkg', async () => {
    const property = fc.asyncProperty(installed, wanted, async (packages, text) => {
      await dpkg.ask(
        'facts',
        ...packages.map((one) => [one.name, one.version, one.architecture, one.multiArch, one.provides]),
      );
      const lacking = !(await dpkg.ask<boolean>('satisfied', text, 'amd64'));
      if (mayDiffer(packages)) expect(lacks(packages, text) || !lacking).toBe(true);
      else expect(lacks(packages, text)).toBe(lacking);
    });
    await fc.assert(property, { numRuns: 2000 });
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
