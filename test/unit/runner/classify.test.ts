import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { classifyArguments, filesOf } from '../../../src/runner/sources/classify.ts';
import { dscFiles } from '../../../src/runner/sources/unpack.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'trundle-arguments-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const write = (name: string, content = '') => {
  const file = path.join(directory, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
};
const classify = (...words: string[]) => classifyArguments(words, directory)[0];

describe('a source is', () => {
  it('a tree, built where debian/files tells so', () => {
    write('pkg/debian/control');
    const tree = { argument: './pkg', directory: path.join(directory, 'pkg') };
    expect(classify('./pkg').source).toEqual({ kind: 'unbuilt-tree', ...tree });
    write('pkg/debian/files');
    expect(classify('./pkg').source).toEqual({ kind: 'built-tree', ...tree });
  });

  it('a tree with nothing but tests, which counts as built', () => {
    write('pkg/debian/tests/control');
    expect(classify('./pkg').source).toMatchObject({ kind: 'built-tree' });
  });

  it('a .dsc file', () => {
    const dsc = write('hello_1.dsc');
    expect(classify('hello_1.dsc').source).toEqual({ kind: 'source', argument: 'hello_1.dsc', dsc });
  });

  it('what a .changes file lists, with its debs', () => {
    write('up/hello_1.dsc');
    const deb = write('up/hello_1_all.deb');
    write(
      'up/hello_1.changes',
      'Format: 1.8\nFiles:\n 0 1 misc optional hello_1.dsc\n 0 1 misc optional hello_1.tar.xz\n 0 1 misc optional hello_1_all.deb\n',
    );
    const { source, debs } = classify('up/hello_1.changes');
    expect(source).toMatchObject({ kind: 'source', argument: 'up/hello_1.dsc' });
    expect(debs).toEqual([{ argument: 'up/hello_1_all.deb', file: deb }]);
  });

  it.each(['hello', 'libfoo-1.2+x', 'hello-'])("a package of apt's: %s", (name) =>
    expect(classify(name).source).toEqual({ kind: 'apt-source', argument: name, treeHere: false }),
  );

  it('a package of apt’s also where a directory has its name', () => {
    write('hello/debian/control');
    expect(classify('hello').source).toEqual({ kind: 'apt-source', argument: 'hello', treeHere: true });
    expect(classify('hello/').source.kind).toBe('unbuilt-tree');
  });

  it.each([
    ['https://example.org/hello.git', 'https://example.org/hello.git', null],
    ['file:///srv/hello#debian/sid', 'file:///srv/hello', 'debian/sid'],
  ])('a git repository: %s', (argument, url, branch) =>
    expect(classify(argument).source).toEqual({ kind: 'git-source', argument, url, branch }),
  );

  it('the current directory where none is given', () => {
    write('debian/control');
    const deb = write('x_1_all.deb');
    const here = { kind: 'unbuilt-tree', argument: '.', directory };
    expect(classify()).toEqual({ name: null, source: here, debs: [] });
    expect(classify('x_1_all.deb')).toEqual({
      name: null,
      source: here,
      debs: [{ argument: 'x_1_all.deb', file: deb }],
    });
  });
});

describe('several sources are several packages', () => {
  const all = (...words: string[]) =>
    classifyArguments(words, directory).map(({ name, debs }) => [name, ...debs.map(({ argument }) => argument)]);

  it('named by their arguments', () => {
    for (const tree of ['one/hello', 'two/hello', 'two/log', 'w x']) write(`${tree}/debian/control`);
    write('up/hello_1-2.dsc');
    expect(all('./one/hello/', 'up/hello_1-2.dsc', './two/hello', './two/log', './w x').flat()).toEqual([
      'hello',
      'hello#2',
      'hello#3',
      'log#2',
      'w-x',
    ]);
    expect(all('libfoo', 'https://example.org/a/bar.git#main', 'ssh://git@example.org/baz/').flat()).toEqual([
      'libfoo',
      'bar',
      'baz',
    ]);
  });

  it('with their own debs, and those that are nobody’s', () => {
    for (const file of ['a_1.dsc', 'a_1_all.deb', 'x_1_all.deb']) write(file);
    write('a_1.changes', 'Files:\n 0 1 misc optional a_1.dsc\n 0 1 misc optional a_1_all.deb\n');
    expect(all('a_1.changes', 'x_1_all.deb', 'b1')).toEqual([
      ['a', 'a_1_all.deb', 'x_1_all.deb'],
      ['b1', 'x_1_all.deb'],
    ]);
  });
});

describe('what is none is named, with what is wrong', () => {
  it.each([
    [['./no/such'], './no/such is not a valid test package: it does not exist'],
    [['./empty'], './empty is not a valid test package: it has neither debian/control nor debian/tests/control'],
    [['./file'], './file is not a valid test package: it is neither a directory nor a .dsc, .changes or .deb file'],
    [['git@example.org:hello'], 'a git URL is written with ://'],
    [['x.dsc'], 'x.dsc does not exist (it would be a source package)'],
    [['x.deb'], 'x.deb does not exist (it would be a binary package)'],
    [['x.changes'], 'x.changes does not exist (it would be a .changes file)'],
    [['bad.changes'], 'bad.changes is invalid and does not contain Files:'],
    [['worse.changes'], 'worse.changes cannot be read: expected "Field: value"'],
    [[], 'the current directory is no source tree (it has no debian/control)'],
  ])('%j', (words, message) => {
    mkdirSync(path.join(directory, 'empty/debian'), { recursive: true });
    write('file');
    write('bad.changes', 'Format: 1.8\n');
    write('worse.changes', 'nothing of the kind\n');
    expect(() => classify(...words)).toThrow(message);
  });

  it('a file that cannot be read', () => {
    const gone = path.join(directory, 'hello_1.dsc');
    expect(() => dscFiles({ kind: 'source', argument: 'hello_1.dsc', dsc: gone })).toThrow(
      /^hello_1.dsc cannot be read: ENOENT/,
    );
  });

  it('a .dsc that lists what is not there', () => {
    const dsc = write('hello_1.dsc', 'Format: 3.0 (native)\nFiles:\n 0 1 hello_1.tar.xz\n');
    const source = { kind: 'source', argument: 'hello_1.dsc', dsc } as const;
    expect(() => dscFiles(source)).toThrow('hello_1.dsc lists hello_1.tar.xz, which is not beside it');
    const tar = write('hello_1.tar.xz');
    expect(dscFiles(source)).toEqual([dsc, tar]);
  });
});

describe('a signed file', () => {
  it('lists what its signed part does', () => {
    const signed =
      '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nFormat: 1.0\nFiles:\n 0 1 a_1.dsc\n\n-----BEGIN PGP SIGNATURE-----\n\nFiles:\n 0 1 b_1.dsc\n-----END PGP SIGNATURE-----\n';
    expect(filesOf(signed, 'x')).toEqual(['a_1.dsc']);
  });

  it('lists nothing from elsewhere', () => {
    expect(filesOf('Files:\n 0 1 ../etc_/shadow.x\n 0 1 /etc/a_b.c\n 0 1 a_1.dsc\n', 'x')).toEqual(['a_1.dsc']);
  });
});
