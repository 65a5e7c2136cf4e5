import { listCovers } from '../control/architecture.ts';
import {
  type Alternatives,
  applies,
  type PackageRelation,
  parseAlternatives,
  RelationError,
  splitField,
} from '../control/relations.ts';
import type { SourceControl } from '../control/sourceControl.ts';
import { PLACEHOLDERS, type TestDefinition } from '../control/testControl.ts';
import { BadPackageError } from '../errors.ts';

/**
 * A test's dependencies with `@`, `@builddeps@` and `@recommends@` replaced and everything meant for other
 * architectures or build profiles left out (README.package-tests, "Depends"). Pure.
 * @param architecture of the packages under test
 * @param foreign whether that is not the testbed's own: `@` then stands for packages of it by name
 * @throws BadPackageError for a relation in debian/control that cannot be read
 */
export function expandDepends(
  test: TestDefinition,
  control: SourceControl,
  architecture: string,
  foreign = false,
): Alternatives[] {
  const expanded = test.depends.flatMap((entry): Alternatives[] => {
    if (entry === '@') return ownPackages(control, architecture, foreign);
    if (entry === '@builddeps@') {
      return [...field('build dependencies', control.buildDepends, architecture), parseAlternatives('build-essential')];
    }
    if (entry === '@recommends@') return field('Recommends', control.recommends, architecture);
    return field('dependencies', entry, architecture).map((each) =>
      foreign ? each.map((relation) => ofForeign(relation, control, architecture)) : each,
    );
  });
  return foreign ? crossBuilding(expanded, architecture) : expanded;
}

/** A package of the source under test that is built for the other architecture is meant as that, where it is named. */
function ofForeign(relation: PackageRelation, control: SourceControl, architecture: string): PackageRelation {
  const own = control.binaries.find(({ name }) => name === relation.package);
  const isForeign =
    own !== undefined && !own.architectures.includes('all') && listCovers(own.architectures, architecture);
  return isForeign && relation.qualifier === null ? { ...relation, qualifier: architecture } : relation;
}

/** The compiler runs on the testbed, and builds for the other architecture, whose libraries it needs. */
function crossBuilding(depends: readonly Alternatives[], architecture: string): Alternatives[] {
  const isCompiler = ([only, ...more]: Alternatives) =>
    only !== undefined && more.length === 0 && only.text === 'build-essential';
  if (!depends.some(isCompiler)) return [...depends];
  const cross = [
    'build-essential:native',
    `crossbuild-essential-${architecture}:native`,
    `libc-dev:${architecture}`,
    `libstdc++-dev:${architecture}`,
  ];
  return [...depends.filter((each) => !isCompiler(each)), ...cross.map(parseAlternatives)];
}

/**
 * The packages of the source under test that a test depends on, as lists of which one must be there: all of them for
 * `@`, and each entry of Depends that names nothing else. Pure.
 */
export function ownDependencies(test: TestDefinition, control: SourceControl, architecture: string): string[][] {
  const names = control.binaries.map(({ name }) => name);
  return test.depends.flatMap((entry): string[][] => {
    if (entry === '@') return ownPackages(control, architecture).map((relations) => relations.map(nameOf));
    if (PLACEHOLDERS.includes(entry)) return [];
    const alternatives = parseAlternatives(entry);
    if (!alternatives.every((relation) => names.includes(nameOf(relation)))) return [];
    const here = alternatives.filter((relation) => applies(relation, architecture)).map(nameOf);
    return here.length === 0 ? [] : [here];
  });
}

function nameOf(relation: PackageRelation): string {
  return relation.package;
}

function ownPackages(control: SourceControl, architecture: string, foreign = false): Alternatives[] {
  return control.binaries
    .filter(({ architectures }) => architectures.includes('all') || listCovers(architectures, architecture))
    .map(({ name, architectures }) =>
      parseAlternatives(foreign && !architectures.includes('all') ? `${name}:${architecture}` : name),
    );
}

function field(what: string, text: string, architecture: string): Alternatives[] {
  try {
    return splitField(text)
      .map((entry) => entry.replace(/[\s|]+$/, ''))
      .filter((entry) => entry !== '')
      .map((entry) => parseAlternatives(entry).filter((relation) => applies(relation, architecture)))
      .filter((alternatives) => alternatives.length > 0);
  } catch (error) {
    if (!(error instanceof RelationError)) throw error;
    throw new BadPackageError(`InvalidControl test source: Invalid ${what}: ${error.message}`, 'debian/control');
  }
}
