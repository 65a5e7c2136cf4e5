import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageVersion, type SourceTree, sourceControl } from '../../../src/runner/source.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'trundle-source-'));
  mkdirSync(path.join(directory, 'pkg/debian'), { recursive: true });
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('a tree', () => {
  const tree = (): SourceTree => ({
    kind: 'unbuilt-tree',
    argument: 'pkg',
    directory: path.join(directory, 'pkg'),
  });

  it('tells its version in its changelog', () => {
    expect(packageVersion(tree())).toBeNull();
    writeFileSync(path.join(directory, 'pkg/debian/changelog'), 'hello (1:2.0-3) unstable; urgency=low\n\n  * x\n');
    expect(packageVersion(tree())).toEqual({ name: 'hello', version: '1:2.0-3' });
  });

  it('may lack a control file', () => {
    expect(sourceControl(tree()).binaries).toEqual([]);
  });
});
