import { describe, expect, it } from 'vitest';
import { AptSetup, type AptSetupContext } from '../../../src/runner/dependencies/AptSetup.ts';
import { aptSetupOptions, asksForApt } from '../../../src/runner/dependencies/aptSetupOptions.ts';
import { copiedSources } from '../../../src/runner/dependencies/copiedSources.ts';
import { bestSourceVersion, binariesOf, candidatesOf, suiteOf } from '../../../src/runner/sources/aptSource.ts';

describe('what apt is given', () => {
  it('is nothing by itself', () => expect(asksForApt(aptSetupOptions({}))).toBe(false));

  it('is read as autopkgtest spells it', () => {
    const options = aptSetupOptions({
      aptPockets: ['proposed', 'backports=hello, src:tree'],
      pinPackages: ['sid=hello:amd64', 'a=unstable,o=Debian=src:x'],
      addAptSources: ['deb [trusted=yes] file:/srv ./'],
    });
    expect(asksForApt(options)).toBe(true);
    expect(options.pockets).toEqual([
      { pocket: 'proposed', packages: [] },
      { pocket: 'backports', packages: ['hello', 'src:tree'] },
    ]);
    expect(options.pins).toEqual([
      { release: 'sid', packages: ['hello:amd64'] },
      { release: 'a=unstable,o=Debian', packages: ['src:x'] },
    ]);
    expect(options.sources).toEqual([
      { file: 'autopkgtest-add-apt-sources.list', text: 'deb [trusted=yes] file:/srv ./' },
    ]);
  });

  it.each([
    [{ pinPackages: ['sid'] }, '--pin-packages sid: expected RELEASE=PACKAGE,src:SOURCE,...'],
    [{ pinPackages: ['sid=a b'] }, '--pin-packages sid=a b: "a b" is no list of packages'],
    [{ aptPockets: ['/x'] }, '--apt-pocket /x: expected POCKET'],
    [{ addAptReleases: ['a\nPin: x'] }, '--add-apt-release a'],
    [{ addAptSources: ['ppa:x'] }, '--add-apt-source ppa:x: expected ppa:OWNER/NAME'],
    [{ addAptSources: ['http://x sid main'] }, '--add-apt-source http://x sid main: expected a line'],
    [{ addAptSources: [`deb${'x'.repeat(300)}`] }, ': expected a line'],
    [{ addAptSources: [`/${'x'.repeat(300)}.list`] }, '.list cannot be read: ENAMETOOLONG'],
    [{ addAptSources: ['/no/such.list'] }, '--add-apt-source /no/such.list: expected a line'],
  ])('%j is refused', (given, message) => expect(() => aptSetupOptions(given)).toThrow(message));
});

describe('pins for one release', () => {
  it('are all there, however often it is given', async () => {
    const written: (readonly string[])[] = [];
    const steps = { must: async ({ words = [] }: { words?: readonly string[] }) => void written.push(words) };
    const pinPackages = ['sid=a,b', 'old=x', 'sid=c'];
    const setup = new AptSetup({ ...aptSetupOptions({ pinPackages }), ppas: [] });
    await setup.prepare({ steps, foreign: null } as unknown as AptSetupContext);
    const pinned = written.map(([file, text]) => [file, /^Package: (?!\*)(.*)/m.exec(text ?? '')?.[1]]);
    expect(pinned).toEqual([
      ['/etc/apt/preferences.d/autopkgtest-sid.pref', 'a:any b:any c:any'],
      ['/etc/apt/preferences.d/autopkgtest-old.pref', 'x:any'],
    ]);
    expect([await setup.giveUp(), await setup.giveUp(), await setup.giveUp()]).toEqual(['old', 'sid', null]);
  });
});

describe('several sources in one text', () => {
  it('are one a line, each once, with comments', () => {
    const lines = '# ours\ndeb http://x sid main\n\ndeb-src http://x sid main\n';
    expect(
      aptSetupOptions({ addAptSources: [lines, 'deb http://x sid main'] }).sources.map(({ text }) => text),
    ).toEqual(['deb http://x sid main', 'deb-src http://x sid main']);
  });
});

describe('sources for another release', () => {
  it('are those of the one that the testbed has, in their style', () => {
    const { list, sources } = copiedSources({
      lines:
        '# deb http://x bookworm main\ndeb [signed-by=/k] http://x/debian bookworm main contrib\ndeb http://x/debian bookworm-updates main\ndeb-src http://x/debian bookworm main\n',
      stanzas:
        'Types: deb\n# where\nURIs: http://y\nSuites: bookworm bookworm-updates\nComponents: main\n\nTypes: deb-src\nURIs: http://y\nSuites: bookworm\nComponents: main\n',
      from: 'bookworm',
      to: 'sid',
    });
    expect(list).toBe(
      'deb [signed-by=/k] http://x/debian sid main contrib\ndeb-src [signed-by=/k] http://x/debian sid main contrib',
    );
    expect(sources).toBe('Types: deb deb-src\nURIs: http://y\nSuites: sid\nComponents: main\n');
  });

  it('are none where it has none', () => {
    expect(copiedSources({ lines: 'deb http://x sid main\n', stanzas: '', from: 'bookworm', to: 'sid' })).toEqual({
      list: '',
      sources: '',
    });
  });
});

const POLICY = `hello:
  Installed: (none)
  Candidate: 2.10-3
  Version table:
     2.12-1 100
        100 http://mirror.example.org/debian sid/main amd64 Packages
     2.10-3 500 (phased 20%)
        500 http://mirror.example.org/debian bookworm/main amd64 Packages
hello-doc:
  Installed: 2.9-1
  Candidate: 2.9-1
  Version table:
 *** 2.9-1 995
        100 /var/lib/dpkg/status
nothing:
  Installed: (none)
  Candidate: (none)
`;

describe('the version of a source that pins would have', () => {
  const candidates = candidatesOf(POLICY);

  it('is that of the candidates', () => {
    expect(candidates).toEqual([
      { name: 'hello', version: '2.10-3', priority: 500 },
      { name: 'hello-doc', version: '2.9-1', priority: 995 },
    ]);
    expect([suiteOf(POLICY, '2.10-3'), suiteOf(POLICY, '2.9-1')]).toEqual(['bookworm', null]);
  });

  it('goes by the priority first, and then by the version', () => {
    const show = (doc: string) =>
      `Package: hello\nVersion: 2.10-3\nSource: hello\n\nPackage: hello-doc\nSource: ${doc}\nVersion: 2.9-1\n`;
    expect(bestSourceVersion('hello', candidates, show('hello (2.9-0)'))).toBe('2.9-0');
    expect(bestSourceVersion('hello', candidates, show('other'))).toBe('2.10-3');
    const equal = candidates.map((candidate) => ({ ...candidate, priority: 500 }));
    expect(bestSourceVersion('hello', equal, show('hello'))).toBe('2.10-3');
    expect(bestSourceVersion('none', candidates, show('hello'))).toBeNull();
  });

  it('is asked of the packages that are built for the architecture', () => {
    const showsrc =
      'Package: x\nPackage-List:\n a deb misc optional arch=any\n b deb misc optional arch=s390x,arm64\n c udeb misc optional arch=any\n d deb misc optional\n e deb misc optional arch=linux-any\nDirectory: x\n\nPackage: x\nBinary: f, g\n\nPackage: x\nExtra-Source-Only: yes\nBinary: h\n';
    expect(binariesOf(showsrc, 'amd64')).toEqual(['a', 'd', 'e', 'f', 'g']);
  });
});
