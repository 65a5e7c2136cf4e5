import path from 'node:path';
import { isTree, type Source } from './Source.ts';

/** Names of the output directory that are not a package's. */
const TAKEN = [
  'artifacts',
  'binaries',
  'log',
  'report.html',
  'results.json',
  'summary',
  'testinfo.json',
  'trace',
] as const;

/**
 * What each of several packages is called, in the output directory and before the names of its tests: by its argument,
 * so that one knows beforehand. The second of a name is `NAME#2`. Pure.
 */
export function packageNames(sources: readonly Source[]): string[] {
  const counts = new Map<string, number>(TAKEN.map((name) => [name, 1]));
  return sources.map((source) => {
    const name = nameOf(source);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count === 1 ? name : `${name}#${count}`;
  });
}

function nameOf(source: Source): string {
  const plain = baseOf(source).replaceAll(/[^\w.+~-]/g, '-');
  return /^\.*$/.test(plain) ? 'package' : plain;
}

function baseOf(source: Source): string {
  if (isTree(source)) return path.basename(source.directory);
  switch (source.kind) {
    case 'source':
      return path.basename(source.dsc).replace(/_.*$/, '');
    case 'git-source':
      return path.basename(source.url.replace(/\/+$/, '')).replace(/\.git$/, '');
    case 'apt-source':
      return source.argument;
  }
}
