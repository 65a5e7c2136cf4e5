import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseSourceControl, type SourceControl } from './control/sourceControl.ts';
import { BadPackageError, StepError, UsageError } from './errors.ts';

/** A source tree with debian/ in it. `built`: debian/files tells that it was built. */
export interface SourceTree {
  readonly kind: 'built-tree' | 'unbuilt-tree';
  /** As given. */
  readonly argument: string;
  /** Absolute. */
  readonly directory: string;
}

/** Kinds of source that autopkgtest takes and that are told apart here, but not tested yet. */
const LATER: readonly [kind: string, pattern: RegExp][] = [
  ['a source package (.dsc)', /\.dsc$/],
  ['a .changes file', /\.changes$/],
  ['a binary package (.deb)', /\.deb$/],
  ['a git URL', /^[a-z][a-z0-9+.-]*:\/\/|^[^/]+@[^/]+:|\.git(#.*)?$/],
];

/**
 * Tells what a source argument is, by autopkgtest's rules: a bare word is the name of a source package for apt,
 * and a directory therefore has a slash in its name.
 * @throws UsageError for anything that is not a source tree
 */
export function classifySource(argument: string): SourceTree {
  for (const [kind, pattern] of LATER) {
    if (pattern.test(argument)) throw notYet(argument, kind, 'Unpack it and give the directory.');
  }
  const directory = path.resolve(argument);
  const stat = statSync(directory, { throwIfNoEntry: false });
  if (!argument.includes('/') && argument !== '.' && argument !== '..') {
    const hint = stat?.isDirectory()
      ? `For the directory, write ./${argument}.`
      : 'Unpack the package and give the directory.';
    throw notYet(argument, 'the name of a source package for apt', hint);
  }
  if (!stat) throw new UsageError(`${argument} does not exist`);
  if (!stat.isDirectory())
    throw new UsageError(
      `${argument} is not a valid test package: it is neither a directory nor a kind of package file that is known`,
    );
  if (!statSync(path.join(directory, 'debian'), { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`${argument} is not a valid test package: it has no debian directory`);
  }
  const built = statSync(path.join(directory, 'debian/files'), { throwIfNoEntry: false }) !== undefined;
  return { kind: built ? 'built-tree' : 'unbuilt-tree', argument, directory };
}

function notYet(argument: string, kind: string, hint: string): UsageError {
  return new UsageError(`${argument} is ${kind}: testing that is not supported yet. ${hint}`);
}

/**
 * A file of the tree as text; null where there is none.
 * @throws BadPackageError where something else has its name, StepError where we may not read it
 */
export function readTreeFile(tree: SourceTree, name: string): string | null {
  try {
    return readFileSync(path.join(tree.directory, name), 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (code === 'EISDIR' || code === 'ENOTDIR' || code === 'ELOOP') throw new BadPackageError(`${name} is not a file`);
    const doing = 'reading the package';
    const detail = `${name} cannot be read: ${message}`;
    throw new StepError(doing, { class: 'wrong-usage', phase: 'plan', doing, detail, evidence: [] });
  }
}

/** Name and version from the first line of debian/changelog; null where it has no such line. */
export function packageVersion(tree: SourceTree): { name: string; version: string } | null {
  const match = /^(\S+) \(([^()\s]+)\)/.exec(readTreeFile(tree, 'debian/changelog') ?? '');
  return match ? { name: match[1] ?? '', version: match[2] ?? '' } : null;
}

/** The tree's debian/control. @throws BadPackageError */
export function sourceControl(tree: SourceTree): SourceControl {
  return parseSourceControl(readTreeFile(tree, 'debian/control') ?? '');
}
