import {
  type Alternatives,
  applies,
  type PackageRelation,
  parseAlternatives,
  splitField,
} from '../../../../src/runner/control/relations.ts';
import { missing, parseInstalled } from '../../../../src/runner/dependencies/installedPackages.ts';
import type { Installed } from './dependencies.ts';

/** Reads a dependency field. */
export const read = (text: string): Alternatives[] => splitField(text).map(parseAlternatives);

function written({ package: name, qualifier, version: limit, architectures, profiles: formula }: PackageRelation) {
  return [
    qualifier === null ? name : `${name}:${qualifier}`,
    ...(limit === null ? [] : [`(${limit.relation} ${limit.version})`]),
    ...(architectures.length === 0 ? [] : [`[${architectures.join(' ')}]`]),
    ...formula.map((terms) => `<${terms.join(' ')}>`),
  ].join(' ');
}
/** A dependency field as dpkg writes it. */
export const whole = (relations: readonly Alternatives[]) =>
  relations.map((alternatives) => alternatives.map(written).join(' | ')).join(', ');

/** What of a field applies on an architecture. */
export const reduced = (text: string, host: string): Alternatives[] =>
  read(text)
    .map((alternatives) => alternatives.filter((each) => applies(each, host)))
    .filter(({ length }) => length > 0);

/** The same as dpkg writes it, without what has been decided. */
export const bare = (relations: readonly Alternatives[]): string =>
  whole(relations.map((each) => each.map((one) => ({ ...one, architectures: [], profiles: [] }))));

/** Whether a dependency is not met on amd64, as the runner sees it. */
export function lacks(packages: readonly Installed[], text: string): boolean {
  const rows = packages.map((one) =>
    ['installed', one.name, one.version, one.architecture, one.multiArch, one.provides].join('\t'),
  );
  return missing(reduced(text, 'amd64'), parseInstalled(rows.join('\n')), 'amd64').length > 0;
}

/**
 * dpkg-checkbuilddeps takes whatever provides a name for good, of any architecture and under any qualifier; apt and
 * dpkg itself do not, nor does the runner.
 */
export const mayDiffer = (packages: readonly Installed[]): boolean => packages.some(({ provides }) => provides !== '');
