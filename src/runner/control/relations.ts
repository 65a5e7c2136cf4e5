import { listCovers } from './architecture.ts';
import { isVersion } from './version.ts';

/** How a version must stand to the given one. `<` and `>` are obsolete forms of `<=` and `>=` (Debian Policy 7.1). */
export type Relation = '<<' | '<=' | '=' | '>=' | '>>';

/** One package that would do, as in `pkg:any (>= 1.0) [amd64] <!nocheck>`. */
export interface PackageRelation {
  readonly package: string;
  /** After the colon: `any`, `native` or an architecture. */
  readonly qualifier: string | null;
  readonly version: { readonly relation: Relation; readonly version: string } | null;
  readonly architectures: readonly string[];
  /** Build profile formula: any of these lists, all of a list's terms. */
  readonly profiles: readonly (readonly string[])[];
  readonly text: string;
}

/** Packages of which one must be there. */
export type Alternatives = readonly PackageRelation[];

/** A relation that cannot be read; `reason` is in autopkgtest's words, after "Test Depends field contains ". */
export class RelationError extends Error {
  override readonly name = 'RelationError';
}

const RELATION =
  /^([a-z0-9][a-z0-9+.-]*)(?::([a-z0-9][a-z0-9-]*))?\s*(?:\(\s*(<<|<=|=|>=|>>|<|>)\s*([^)]*?)\s*\))?\s*(?:\[\s*([^\]]*?)\s*\])?\s*((?:<[^<>]*>\s*)*)$/;
const ARCHITECTURE = /^!?[a-z0-9][a-z0-9-]*$/;

/**
 * Parses one package relation (deb-control(5), Debian Policy 7.1).
 * @throws RelationError
 */
export function parseRelation(source: string): PackageRelation {
  const text = source.trim();
  const match = RELATION.exec(text);
  if (!match) throw new RelationError(`an invalid dependency \`${text}'`);
  const [, name = '', qualifier, relation, version, architectures = '', profiles = ''] = match;
  if (version !== undefined && !isVersion(version))
    throw new RelationError(`dependency \`${text}' with an invalid version`);
  const list = architectures.split(/\s+/).filter((entry) => entry !== '');
  if (!list.every((entry) => ARCHITECTURE.test(entry))) throw new RelationError(`an invalid dependency \`${text}'`);
  return {
    package: name,
    qualifier: qualifier ?? null,
    version: relation === undefined || version === undefined ? null : { relation: modern(relation), version },
    architectures: list,
    profiles: [...profiles.matchAll(/<([^<>]*)>/g)].map(([, terms = '']) => terms.trim().split(/\s+/)),
    text,
  };
}

function modern(relation: string): Relation {
  if (relation === '<') return '<=';
  if (relation === '>') return '>=';
  return relation as Relation;
}

/** Splits `a | b` and parses each; as dpkg does, it passes over a bar at the end. @throws RelationError */
export function parseAlternatives(text: string): Alternatives {
  return text
    .replace(/(?<=[^\s|]\s*)(\|\s*)+$/, '')
    .split('|')
    .map(parseRelation);
}

/** Splits a relationship field at its commas; empty entries, as after a trailing comma, are left out. Pure. */
export function splitField(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** Whether a relation applies on an architecture, with no build profile active. Pure. */
export function applies(relation: PackageRelation, architecture: string): boolean {
  const profiles = relation.profiles;
  const active = profiles.length === 0 || profiles.some((terms) => terms.every((term) => term.startsWith('!')));
  return active && listCovers(relation.architectures, architecture);
}

/**
 * Dependencies as apt-get satisfy takes them, without the architectures and profiles they were given for, which have
 * been decided. Qualifiers stay, `:native` too: without one, also a package of another architecture would do where it
 * is `Multi-Arch: foreign`. Pure.
 */
export function fieldText(depends: readonly Alternatives[]): string {
  return depends.map((alternatives) => alternatives.map(relationText).join(' | ')).join(', ');
}

function relationText({ package: name, qualifier, version }: PackageRelation): string {
  const whole = qualifier === null ? name : `${name}:${qualifier}`;
  return version === null ? whole : `${whole} (${version.relation} ${version.version})`;
}
