import { posix } from 'node:path';
import { BadPackageError } from '../errors.ts';
import { type Field, parseDeb822, type Stanza } from './deb822.ts';
import { parseAlternatives, RelationError, splitField } from './relations.ts';
import { dependenciesOf } from './restrictions.ts';

/** What a test runs: an executable of the source tree, or a line for `bash -e`. */
export type TestProgram =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'command'; readonly command: string };

/** One test as debian/tests/control describes it (DEP-8; README.package-tests). */
export interface TestDefinition {
  readonly name: string;
  readonly program: TestProgram;
  readonly restrictions: readonly string[];
  readonly features: readonly string[];
  readonly classes: readonly string[];
  readonly architectures: readonly string[];
  /** Entries of Depends, `@` where there is no such field, and what restrictions add; each has been parsed once. */
  readonly depends: readonly string[];
  /** The first field of the stanza that DEP-8 does not know. */
  readonly unknownField: string | null;
  /** Name of the file that describes it. */
  readonly file: string;
  /** Line of the stanza. */
  readonly line: number;
}

const KNOWN_FIELDS = [
  'tests',
  'test-command',
  'restrictions',
  'features',
  'depends',
  'tests-directory',
  'classes',
  'architecture',
];

/** Bytes of what Linux takes as one argument, less what the runner puts around a Test-Command. */
const LONGEST_COMMAND = 120_000;
/** Bytes that an apostrophe takes when it has been quoted twice. */
const QUOTED_APOSTROPHE = 13;

/** Entries of Depends that stand for other packages. */
export const PLACEHOLDERS: readonly string[] = ['@', '@builddeps@', '@recommends@'];

/**
 * Reads debian/tests/control. Tests that cannot run here are in the list all the same; planning skips them.
 * @throws BadPackageError in autopkgtest's words, with file and line
 */
export function parseTestControl(text: string, file = 'debian/tests/control'): TestDefinition[] {
  const tests: TestDefinition[] = [];
  let commands = 0;
  for (const stanza of parseDeb822(text, file)) {
    const invalid = (test: string, message: string, field?: Field) =>
      new BadPackageError(`InvalidControl test ${test}: ${message}`, file, field?.line ?? stanza.line);
    const testsField = stanza.fields.get('tests');
    const commandField = stanza.fields.get('test-command');
    const givenName = testName(stanza, invalid);
    if (testsField && commandField)
      throw invalid('*', 'Only one of "Tests" or "Test-Command" may be given', commandField);

    if (testsField) {
      const names = words(testsField);
      const [first] = names;
      if (first === undefined) throw invalid('*', '"Tests" field is empty', testsField);
      if (givenName !== null)
        throw invalid('*', 'test-name feature incompatible with Tests', stanza.fields.get('features'));
      const directory = testsDirectory(stanza, invalid);
      const rest = describe(stanza, file, first, invalid);
      for (const name of names)
        tests.push({ name, program: { kind: 'file', path: posix.join(directory, name) }, ...rest });
    } else if (commandField) {
      const command = commandField.value;
      if (command === '') throw invalid('*', '"Test-Command" field is empty', commandField);
      if (tooLong(command))
        throw invalid('*', '"Test-Command" field is too long: put it into a file of debian/tests', commandField);
      const rest = describe(stanza, file, command, invalid);
      if (givenName === null) commands += 1;
      tests.push({ name: givenName ?? `command${commands}`, program: { kind: 'command', command }, ...rest });
    } else {
      throw invalid('*', 'missing "Tests" or "Test-Command" field');
    }
  }
  return tests;
}

function tooLong(command: string): boolean {
  const apostrophes = command.split("'").length - 1;
  return new TextEncoder().encode(command).length + apostrophes * (QUOTED_APOSTROPHE - 1) > LONGEST_COMMAND;
}

type Invalid = (test: string, message: string, field?: Field) => BadPackageError;

/** Names separated by commas and whitespace. */
function words(field: Field | undefined): string[] {
  return field ? field.value.split(/[\s,]+/).filter((word) => word !== '') : [];
}

function testName(stanza: Stanza, invalid: Invalid): string | null {
  const field = stanza.fields.get('features');
  const given = words(field).filter((feature) => feature === 'test-name' || feature.startsWith('test-name='));
  const names = given.map((feature) => feature.slice('test-name='.length));
  if (names.includes('')) throw invalid('*', 'test-name feature with no argument', field);
  if (names.length > 1) throw invalid('*', 'only one test-name feature allowed', field);
  return names[0] ?? null;
}

function testsDirectory(stanza: Stanza, invalid: Invalid): string {
  const field = stanza.fields.get('tests-directory');
  // An empty one is the tree itself.
  const directory = posix.normalize(field?.value ?? 'debian/tests');
  if (posix.isAbsolute(directory) || directory.split('/')[0] === '..')
    throw invalid('*', '"Tests-Directory" must be a path inside the source tree', field);
  return directory;
}

function describe(
  stanza: Stanza,
  file: string,
  test: string,
  invalid: Invalid,
): Omit<TestDefinition, 'name' | 'program'> {
  const restrictions = words(stanza.fields.get('restrictions'));
  const field = stanza.fields.get('depends');
  const depends = splitField(field?.value ?? '@');
  for (const entry of depends) {
    if (PLACEHOLDERS.includes(entry)) continue;
    try {
      parseAlternatives(entry);
    } catch (error) {
      if (!(error instanceof RelationError)) throw error;
      throw invalid(test, `Test Depends field contains ${error.message}`, field);
    }
  }
  const implied = restrictions.flatMap(dependenciesOf).filter((entry) => !depends.includes(entry));
  const unknown = [...stanza.fields].find(([key]) => !KNOWN_FIELDS.includes(key))?.[1];
  return {
    restrictions,
    features: words(stanza.fields.get('features')),
    classes: words(stanza.fields.get('classes')),
    architectures: words(stanza.fields.get('architecture')),
    depends: [...depends, ...implied],
    unknownField: unknown ? unknown.name.charAt(0).toUpperCase() + unknown.name.slice(1).toLowerCase() : null,
    file,
    line: stanza.line,
  };
}
