import { listCovers } from '../control/architecture.ts';
import { type Alternatives, applies, parseAlternatives, RelationError, splitField } from '../control/relations.ts';
import type { SourceControl } from '../control/sourceControl.ts';
import type { TestDefinition } from '../control/testControl.ts';
import { BadPackageError } from '../errors.ts';

/**
 * A test's dependencies with `@`, `@builddeps@` and `@recommends@` replaced and everything meant for other
 * architectures or build profiles left out (README.package-tests, "Depends"). Pure.
 * @throws BadPackageError for a relation in debian/control that cannot be read
 */
export function expandDepends(test: TestDefinition, control: SourceControl, architecture: string): Alternatives[] {
  return test.depends.flatMap((entry): Alternatives[] => {
    if (entry === '@') return ownPackages(control, architecture);
    if (entry === '@builddeps@') {
      return [...field('build dependencies', control.buildDepends, architecture), parseAlternatives('build-essential')];
    }
    if (entry === '@recommends@') return field('Recommends', control.recommends, architecture);
    return field('dependencies', entry, architecture);
  });
}

function ownPackages(control: SourceControl, architecture: string): Alternatives[] {
  return control.binaries
    .filter(({ architectures }) => architectures.includes('all') || listCovers(architectures, architecture))
    .map(({ name }) => parseAlternatives(name));
}

function field(what: string, text: string, architecture: string): Alternatives[] {
  try {
    return splitField(text)
      .map((entry) => parseAlternatives(entry).filter((relation) => applies(relation, architecture)))
      .filter((alternatives) => alternatives.length > 0);
  } catch (error) {
    if (!(error instanceof RelationError)) throw error;
    throw new BadPackageError(`InvalidControl test source: Invalid ${what}: ${error.message}`, 'debian/control');
  }
}
