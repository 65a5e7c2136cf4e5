import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseSourceControl, type SourceControl } from './control/sourceControl.ts';
import { BadPackageError, StepError } from './errors.ts';

/** A source tree with debian/ in it. `built`: debian/files tells that it was built. */
export interface SourceTree {
  readonly kind: 'built-tree' | 'unbuilt-tree';
  /** As given. */
  readonly argument: string;
  /** Absolute. */
  readonly directory: string;
}

/**
 * A file of the tree as text; null where there is none.
 * @throws BadPackageError where something else has its name, StepError where we may not read it
 */
export function readTreeFile(tree: SourceTree, name: string): string | null {
  const file = path.join(tree.directory, name);
  try {
    // Whoever opens a pipe waits for its other end, and a device may have none.
    if (!statSync(file).isFile()) throw new BadPackageError(`${name} is not a file`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof BadPackageError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (code === 'ENOTDIR' || code === 'ELOOP') throw new BadPackageError(`${name} is not a file`);
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
