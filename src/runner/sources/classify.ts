import { readFileSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import { parseDeb822 } from '../control/deb822.ts';
import { BadPackageError, UsageError } from '../errors.ts';
import type { SourceTree } from '../source.ts';
import { packageNames } from './packageNames.ts';
import type { Deb, Source, Subject } from './Source.ts';

/**
 * Tells what the arguments are, by autopkgtest's rules: one source and any number of .deb files, which may also come
 * out of a .changes file. A bare word is the name of a source package for apt, and a directory therefore has a slash
 * in its name. Without a source it is the current directory, if that is a source tree. Several sources, which autopkgtest
 * does not take, are several packages: the debs of a .changes file go with its source, all others with every source.
 * @throws UsageError naming the argument and what is wrong with it
 */
export function classifyArguments(words: readonly string[], directory = process.cwd()): [Subject, ...Subject[]] {
  const sources: { source: Source; own: Deb[] }[] = [];
  const debs: Deb[] = [];
  const all: Deb[] = [];
  for (const word of words) {
    const parts = word.endsWith('.changes') ? changes(word, directory) : [word];
    const listed = parts.filter(isDeb).map((argument) => debAt(argument, directory));
    const here = parts.filter((part) => !isDeb(part)).map((argument) => classify(argument, directory));
    sources.push(...here.map((source) => ({ source, own: listed })));
    if (here.length === 0) debs.push(...listed);
    all.push(...listed);
  }
  const [only, ...others] = sources;
  if (only === undefined) return [{ name: null, source: hereAmong(words, directory), debs: all }];
  if (others.length === 0) return [{ name: null, source: only.source, debs: all }];
  const names = packageNames(sources.map(({ source }) => source));
  const subjects = sources.map(({ source, own }, index) => ({
    name: names[index] ?? null,
    source,
    debs: [...own, ...debs],
  }));
  return subjects as unknown as [Subject, ...Subject[]];
}

/** autopkgtest takes this for the name of a source package. */
const APT_NAME = /^[0-9a-z][0-9a-z.+-]+$/;

function classify(argument: string, directory: string): Source {
  if (argument.endsWith('.dsc')) {
    return { kind: 'source', argument, dsc: existing(argument, 'a source package', directory) };
  }
  const tree = treeAt(argument, directory);
  if (APT_NAME.test(argument)) return { kind: 'apt-source', argument, treeHere: tree !== null };
  if (tree !== null) return tree;
  if (argument.includes('://')) {
    const hash = argument.indexOf('#');
    const [url, branch] = hash === -1 ? [argument, ''] : [argument.slice(0, hash), argument.slice(hash + 1)];
    return { kind: 'git-source', argument, url, branch: branch === '' ? null : branch };
  }
  throw new UsageError(`${argument} is not a valid test package: ${whatIsWrong(argument, directory)}`);
}

/** A directory is a source tree by its debian/control; one with nothing but tests counts as built. */
function treeAt(argument: string, directory: string): SourceTree | null {
  const root = path.resolve(directory, argument);
  const has = (name: string) => statOf(path.join(root, name))?.isFile() === true;
  if (has('debian/control')) {
    return { kind: has('debian/files') ? 'built-tree' : 'unbuilt-tree', argument, directory: root };
  }
  return has('debian/tests/control') ? { kind: 'built-tree', argument, directory: root } : null;
}

function whatIsWrong(argument: string, directory: string): string {
  const stat = statOf(path.resolve(directory, argument));
  if (stat === null) {
    return /^[^/]+@[^/]+:/.test(argument)
      ? 'a git URL is written with ://, as in ssh://git@example.org/hello.git'
      : 'it does not exist';
  }
  if (!stat.isDirectory()) return 'it is neither a directory nor a .dsc, .changes or .deb file';
  return 'it has neither debian/control nor debian/tests/control';
}

/** Null where nothing is, or nothing can be. @throws UsageError where this user may not see what is there */
function statOf(file: string): Stats | null {
  try {
    return statSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') return null;
    throw new UsageError(`${file} may not be looked at by this user: change the modes of the directories above it`);
  }
}

function isDeb(argument: string): boolean {
  return argument.endsWith('.deb');
}

function debAt(argument: string, directory: string): Deb {
  return { argument, file: existing(argument, 'a binary package', directory) };
}

function existing(argument: string, what: string, directory: string): string {
  const file = path.resolve(directory, argument);
  const stat = statOf(file);
  if (stat === null) throw new UsageError(`${argument} does not exist (it would be ${what})`);
  if (!stat.isFile()) throw new UsageError(`${argument} is not a file (it would be ${what})`);
  return file;
}

/** The packages of a .changes file: its .dsc and its .debs, as paths beside it. */
function changes(argument: string, directory: string): string[] {
  const file = existing(argument, 'a .changes file', directory);
  const listed = filesOf(textOf(file, argument), argument);
  if (listed === null) throw new UsageError(`${argument} is invalid and does not contain Files:`);
  const packages = listed.filter((name) => /\.(deb|dsc)$/.test(name));
  return packages.map((name) => path.join(path.dirname(argument), name));
}

function hereAmong(words: readonly string[], directory: string): SourceTree {
  const tree = treeAt('.', directory);
  if (tree !== null && statOf(path.join(directory, 'debian/control'))) return tree;
  const given = words.length === 0 ? '' : `${words.join(', ')}: there is no source among these, and `;
  throw new UsageError(
    `${given}the current directory is no source tree (it has no debian/control): nothing to take tests from`,
  );
}

/** The text of a .dsc or .changes file. @throws UsageError where it cannot be read */
export function textOf(file: string, argument: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${argument} cannot be read: ${(error as Error).message}`);
  }
}

/**
 * Names of the files that a .dsc or .changes file lists; null where it lists none. It may be signed. Pure.
 * @throws UsageError where it is in no form that dpkg writes
 */
export function filesOf(text: string, name: string): string[] | null {
  const body = /^-----BEGIN PGP SIGNED MESSAGE-----\r?\n(?:\S.*\n)*\r?\n([\s\S]*?)^-----BEGIN PGP SIGNATURE-----/m.exec(
    text,
  );
  try {
    const [stanza] = parseDeb822(body?.[1] ?? text, name);
    const files = stanza?.fields.get('files')?.value;
    if (files === undefined) return null;
    // A name with a directory would reach out of where the file is.
    return files.split(/\s+/).filter((word) => word.includes('_') && word.includes('.') && !word.includes('/'));
  } catch (error) {
    if (!(error instanceof BadPackageError)) throw error;
    throw new UsageError(`${name} cannot be read: ${error.report}`);
  }
}
