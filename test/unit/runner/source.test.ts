import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { classifySource, packageVersion, sourceControl } from '../../../src/runner/source.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'trundle-source-'));
  mkdirSync(path.join(directory, 'pkg/debian'), { recursive: true });
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('a source', () => {
  it('is a tree, built where debian/files tells so', () => {
    const argument = path.join(directory, 'pkg');
    expect(classifySource(argument)).toEqual({ kind: 'unbuilt-tree', argument, directory: argument });
    writeFileSync(path.join(argument, 'debian/files'), '');
    expect(classifySource(`${argument}/`)).toEqual({
      kind: 'built-tree',
      argument: `${argument}/`,
      directory: argument,
    });
  });

  it.each([
    ['hello_1.dsc', 'a source package (.dsc)'],
    ['./hello_1.changes', 'a .changes file'],
    ['/tmp/hello.deb', 'a binary package (.deb)'],
    ['https://example.org/hello', 'a git URL'],
    ['git@example.org:hello.git', 'a git URL'],
    ['hello', 'the name of a source package for apt'],
  ])('%s is known, and not supported yet', (argument, kind) => {
    expect(() => classifySource(argument)).toThrow(`${argument} is ${kind}: testing that is not supported yet.`);
  });

  it('is not just anything', () => {
    expect(() => classifySource('./no/such')).toThrow('./no/such does not exist');
    expect(() => classifySource(directory)).toThrow('it has no debian directory');
    writeFileSync(path.join(directory, 'file'), '');
    expect(() => classifySource(path.join(directory, 'file'))).toThrow('neither a directory');
  });
});

describe('a tree', () => {
  const tree = () => classifySource(path.join(directory, 'pkg'));

  it('tells its version in its changelog', () => {
    expect(packageVersion(tree())).toBeNull();
    writeFileSync(path.join(directory, 'pkg/debian/changelog'), 'hello (1:2.0-3) unstable; urgency=low\n\n  * x\n');
    expect(packageVersion(tree())).toEqual({ name: 'hello', version: '1:2.0-3' });
  });

  it('may lack a control file', () => {
    expect(sourceControl(tree()).binaries).toEqual([]);
  });
});
