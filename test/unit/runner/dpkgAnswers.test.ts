import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { listCovers, matchesArchitecture } from '../../../src/runner/control/architecture.ts';
import { parseDeb822 } from '../../../src/runner/control/deb822.ts';
import { fieldText, RelationError } from '../../../src/runner/control/relations.ts';
import { parseSourceControl } from '../../../src/runner/control/sourceControl.ts';
import { compareVersions, isVersion } from '../../../src/runner/control/version.ts';
import { BadPackageError } from '../../../src/runner/errors.ts';
import { describeWith } from '../../support/needs.ts';
import { asked, handedOn, lacks, mayDiffer, read, whole } from './support/asDpkg.ts';
import {
  anything,
  architecture,
  damaged,
  field,
  installed,
  list,
  space,
  testbed,
  version,
  wanted,
} from './support/dependencies.ts';
import { Dpkg } from './support/dpkg.ts';

let dpkg: Dpkg;
beforeAll(() => {
  dpkg = new Dpkg();
});
afterAll(() => dpkg[Symbol.asyncDispose]());

// Thousands of questions, on a machine with other things to do.
vi.setConfig({ testTimeout: 120_000 });

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
      names.map((name) => `linux-${name}`),
      fc.tuple(word, cpu).map((words) => words.join('-')),
      fc.tuple(word, word, cpu).map((words) => words.join('-')),
      fc.tuple(word, word, word, cpu).map((words) => words.join('-')),
    );
    const some = fc.uniqueArray(fc.oneof(names, architecture), { minLength: 20, maxLength: 30, size: 'max' });
    const property = fc.asyncProperty(wildcard, some, async (pattern, those) => {
      const mine = those.filter((name) => matchesArchitecture(name, pattern));
      expect(mine).toEqual(await dpkg.ask('meant', pattern, ...those));
    });
    await fc.assert(property, { numRuns: 1000 });
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
      // dpkg takes two lists of profiles with nothing between them for one, with a profile of the name `a><b`.
      fc.pre(!text.includes('><'));
      const theirs = await dpkg.ask<string | null>('parse', text);
      let mine: string | null;
      try {
        mine = whole(read(text));
      } catch (error) {
        if (!(error instanceof RelationError)) throw error;
        mine = null;
      }
      // dpkg does not mind a bracket that opens within others.
      if (mine === null && /<[^>]*</.test(text.replace(/\(\s*<[<=]?\s*[^\s)]+\s*\)/g, ''))) return;
      // Nor bars with no package beside them.
      if (mine === null && text.split(',').some((entry) => /^[\s|]*\|[\s|]*$/.test(entry))) return;
      // Nor does it look at versions while it reads.
      if (mine === null && theirs !== null) expect(await versionsIn(theirs), text).toContain(false);
      else expect(mine, text).toBe(theirs);
    });
    await fc.assert(property, { numRuns: 2000 });
  });

  it('apt is given what dpkg would have, without what is for other architectures and build profiles', async () => {
    const property = fc.asyncProperty(field, architecture, async (text, host) => {
      expect(handedOn(text, host)).toBe(await dpkg.ask<string>('reduce', text, host));
    });
    await fc.assert(property, { numRuns: 2000 });
  });

  it('where packages of another architecture are tested, those are asked for by it, and nothing else is', async () => {
    const control =
      'Source: s\n\nPackage: aa\nArchitecture: any\n\nPackage: bb\nArchitecture: all\n\nPackage: c+\nArchitecture: i386\n';
    const own = parseSourceControl(control);
    const property = fc.asyncProperty(field, fc.constantFrom('arm64', 'i386'), async (text, foreign) => {
      const theirs = await dpkg.ask<string>('reduce', text, foreign);
      const names = foreign === 'i386' ? /(^|[,|] )(aa|c\+)(?!:)/g : /(^|[,|] )(aa)(?!:)/g;
      expect(fieldText(asked(text, foreign, own, true))).toBe(theirs.replaceAll(names, `$1$2:${foreign}`));
    });
    await fc.assert(property, { numRuns: 1000 });
  });

  it('the same is missing as for dpkg', async () => {
    const property = fc.asyncProperty(installed, wanted, testbed, async (packages, text, host) => {
      await dpkg.ask(
        'facts',
        ...packages.map((one) => [one.name, one.version, one.architecture, one.multiArch, one.provides]),
      );
      const lacking = !(await dpkg.ask<boolean>('satisfied', text, host));
      if (mayDiffer(packages)) expect(lacks(packages, text, host) || !lacking).toBe(true);
      else expect(lacks(packages, text, host)).toBe(lacking);
    });
    await fc.assert(property, { numRuns: 3000 });
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

/** Whether each version of a dependency is one to dpkg, in either of its languages. */
async function versionsIn(text: string): Promise<boolean[]> {
  const answers: boolean[] = [];
  for (const [, limit = ''] of text.matchAll(/\(\S+ ([^)]*)\)/g)) {
    answers.push(!limit.endsWith(':') && (await dpkg.ask<boolean>('version', limit)));
  }
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
