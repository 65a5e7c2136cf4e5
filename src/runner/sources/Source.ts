import type { SourceTree } from '../source.ts';

/** A source package file, with the files that it lists. */
export interface DscSource {
  readonly kind: 'source';
  /** As given, or as the .changes file names it. */
  readonly argument: string;
  /** Absolute. */
  readonly dsc: string;
}

/** A source package that apt fetches in the testbed. */
export interface AptSource {
  readonly kind: 'apt-source';
  readonly argument: string;
  /** A source tree of that name is in the current directory: with a slash, the argument would have meant it. */
  readonly treeHere: boolean;
}

/** A repository that is cloned in the testbed. */
export interface GitSource {
  readonly kind: 'git-source';
  readonly argument: string;
  readonly url: string;
  /** Branch or other ref; null for what the repository calls its HEAD. */
  readonly branch: string | null;
}

/** What the tests are taken from. Kinds have the names that autopkgtest's log gives them. */
export type Source = SourceTree | DscSource | AptSource | GitSource;

/** A binary package of this machine. */
export interface Deb {
  readonly argument: string;
  /** Absolute. */
  readonly file: string;
}

/** A package to test. */
export interface Subject {
  /** What it is called among several; null where it is the only one. */
  readonly name: string | null;
  readonly source: Source;
  /** Binary packages to test. */
  readonly debs: readonly Deb[];
}

/** Whether a source is a directory of this machine. */
export function isTree(source: Source): source is SourceTree {
  return source.kind === 'built-tree' || source.kind === 'unbuilt-tree';
}
