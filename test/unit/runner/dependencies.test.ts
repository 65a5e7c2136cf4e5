import { describe, expect, it } from 'vitest';
import { fieldText } from '../../../src/runner/control/relations.ts';
import { parseSourceControl } from '../../../src/runner/control/sourceControl.ts';
import { parseTestControl } from '../../../src/runner/control/testControl.ts';
import { expandDepends } from '../../../src/runner/dependencies/expandDepends.ts';
import { InstalledChecker } from '../../../src/runner/dependencies/InstalledChecker.ts';
import {
  addedPackages,
  missing,
  packageList,
  parseInstalled,
} from '../../../src/runner/dependencies/installedPackages.ts';
import { planTests } from '../../../src/runner/plan/planTests.ts';

const CONTROL = `Source: hello
Testsuite: autopkgtest
Build-Depends: debhelper-compat (= 13), gcc-arm-linux-gnueabi [!armel], foo <!nocheck>, bar <cross>
Build-Depends-Indep: pandoc

Package: hello
Architecture: any
Recommends: \${misc:Recommends}, less, hello-data (= \${binary:Version})

Package: hello-data
Architecture: all

Package: hello-arm
Architecture: armhf arm64

Package: hello-udeb
Package-Type: udeb
Architecture: any
`;

const control = parseSourceControl(CONTROL);

function expand(depends: string, architecture = 'amd64'): string[] {
  const [test] = parseTestControl(`Tests: t\nDepends: ${depends}\n`);
  if (!test) throw new Error('no test');
  return expandDepends(test, control, architecture).map((alternatives) =>
    alternatives.map(({ text }) => text).join(' | '),
  );
}

const INSTALLED = parseInstalled(
  [
    ['installed', 'bash', '5.2-1', 'amd64', 'foreign', ''],
    ['installed', 'mawk', '1.3-1', 'amd64', 'no', 'awk (= 2.0), any-awk'],
    ['installed', 'libx', '2.0-1+b1', 'i386', 'same', ''],
    ['installed', 'python3', '3.11', 'i386', 'allowed', ''],
    ['installed', 'tool', '1', 'i386', 'foreign', ''],
    ['config-files', 'gone', '1', 'amd64', 'no', ''],
  ]
    .map((fields) => fields.join('\t'))
    .join('\n'),
);

const lacking = (depends: string) => {
  const [test] = parseTestControl(`Tests: t\nDepends: ${depends}\n`);
  return test ? missing(expandDepends(test, control, 'amd64'), INSTALLED, 'amd64') : [];
};

describe('dependencies', () => {
  it('@ stands for the debs of this architecture that the source package makes', () => {
    expect(expand('@')).toEqual(['hello', 'hello-data']);
    expect(expand('@', 'arm64')).toEqual(['hello', 'hello-data', 'hello-arm']);
  });

  it('of the source under test name the architecture where that is not what the testbed is of', () => {
    const expandForeign = (depends: string) => {
      const [test] = parseTestControl(`Tests: t\nDepends: ${depends}\n`);
      return test && expandDepends(test, control, 'arm64', true).map((each) => fieldText([each]));
    };
    expect(expandForeign('@')).toEqual(['hello:arm64', 'hello-data', 'hello-arm:arm64']);
    expect(expandForeign('hello-data, hello (>= 2) | bash, hello:native')).toEqual([
      'hello-data',
      'hello:arm64 (>= 2) | bash',
      'hello:native',
    ]);
    expect(expandForeign('make, build-essential')).toEqual([
      'make',
      'build-essential:native',
      'crossbuild-essential-arm64:native',
      'libc-dev:arm64',
      'libstdc++-dev:arm64',
    ]);
  });

  it('@builddeps@ stands for the build dependencies and build-essential', () => {
    expect(expand('@builddeps@')).toEqual([
      'debhelper-compat (= 13)',
      'gcc-arm-linux-gnueabi [!armel]',
      'foo <!nocheck>',
      'pandoc',
      'build-essential',
    ]);
  });

  it('@recommends@ stands for what the debs recommend, variables left out', () => {
    expect(expand('@recommends@')).toEqual(['less', 'hello-data']);
  });

  it('for other architectures fall away', () => {
    expect(expand('a [arm64], b [!amd64] | c, d')).toEqual(['c', 'd']);
  });
});

describe('a dependency is satisfied', () => {
  it.each([
    'bash',
    'bash (>= 5)',
    'nothing | mawk',
    'awk',
    'awk (>= 1.5)',
    'any-awk',
    'tool',
    'python3:any',
    'libx:i386',
  ])('%s', (depends) => expect(lacking(depends)).toEqual([]));
});

describe('a dependency is missing', () => {
  it.each([
    'bash (<< 5)',
    'bash (= 5.2)',
    'gone',
    'libx',
    'python3',
    'any-awk (>= 1)',
    'awk (>> 2.0)',
    'libx:native',
    'bash:native',
  ])('%s', (depends) => expect(lacking(depends)).toEqual([depends]));
});

describe('package lists', () => {
  it('are name and version, and what was added since', () => {
    const base = parseInstalled('installed\tbash\t5\tamd64\tno\t\n');
    const now = parseInstalled('installed\tbash\t6\tamd64\tno\t\ninstalled\tjq\t1\tamd64\tno\t\n');
    expect(packageList(base)).toBe('bash\t5\n');
    expect(addedPackages(base, now)).toBe('jq\t1\n');
  });
});

describe('the installed checker', () => {
  const { signal } = new AbortController();
  const planned = (depends: string) => {
    const definitions = parseTestControl(`Tests: t\nDepends: ${depends}\n`);
    const context = {
      capabilities: [],
      architecture: 'amd64',
      built: false,
      internet: true,
      ignoreRestrictions: [],
      only: [],
      without: [],
    };
    const [test] = planTests(definitions, context);
    if (!test) throw new Error('no test');
    return { test, depends: expandDepends(test.definition, control, 'amd64') };
  };
  const checker = new InstalledChecker(() => Promise.resolve(INSTALLED), 'amd64');

  it('lets a test run whose dependencies are there', async () => {
    expect(await checker.prepare(planned('bash'), signal)).toEqual({ kind: 'ready' });
  });

  it('names what is not', async () => {
    expect(await checker.prepare(planned('bash, @, jq | yq'), signal)).toEqual({
      kind: 'badpkg',
      message: 'test dependencies missing: hello, hello-data, jq | yq',
    });
  });

  it('says so where it cannot tell', async () => {
    const blind = new InstalledChecker(() => Promise.resolve(null), null);
    expect(await blind.prepare({ ...planned('jq'), depends: null }, signal)).toEqual({
      kind: 'ready',
      note: 'the testbed has no dpkg to tell whether test dependencies (jq) are installed; continuing anyway',
    });
  });

  it('does not ask where a test depends on nothing', async () => {
    const untouched = new InstalledChecker(() => Promise.reject(new Error('asked')), 'amd64');
    expect(await untouched.prepare(planned(''), signal)).toEqual({ kind: 'ready' });
  });
});
