import {
  type Alternatives,
  fieldText,
  type PackageRelation,
  parseAlternatives,
  splitField,
} from '../../../../src/runner/control/relations.ts';
import { parseSourceControl } from '../../../../src/runner/control/sourceControl.ts';
import { parseTestControl } from '../../../../src/runner/control/testControl.ts';
import { expandDepends } from '../../../../src/runner/dependencies/expandDepends.ts';
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

/** What a test with this Depends field asks for, on an architecture. */
export function asked(text: string, host: string, control = NO_CONTROL, foreign = false): Alternatives[] {
  const [test] = parseTestControl(`Tests: one\nDepends: ${text}\n`);
  if (test === undefined) throw new Error('no test');
  return expandDepends(test, control, host, foreign);
}
const NO_CONTROL = parseSourceControl('Source: sample\n');

/** What of a Depends field apt-get satisfy is given. */
export const handedOn = (text: string, host: string): string => fieldText(asked(text, host));

/** Whether a dependency is not met, as the runner sees it. */
export function lacks(packages: readonly Installed[], text: string, host: string): boolean {
  const rows = packages.map((one) =>
    ['installed', one.name, one.version, one.architecture, one.multiArch, one.provides].join('\t'),
  );
  return missing(asked(text, host), parseInstalled(rows.join('\n')), host).length > 0;
}

/**
 * dpkg-checkbuilddeps takes whatever provides a name for good, of any architecture and under any qualifier; apt and
 * dpkg itself do not, nor does the runner.
 */
export const mayDiffer = (packages: readonly Installed[]): boolean => packages.some(({ provides }) => provides !== '');
