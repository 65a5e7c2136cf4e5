import { describe, expect, it } from 'vitest';
import { parseTestControl } from '../../../src/runner/control/testControl.ts';
import { BadPackageError } from '../../../src/runner/errors.ts';

const parse = (text: string) => parseTestControl(text);

function problem(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof BadPackageError) return error.report;
    throw error;
  }
  return 'no problem';
}

describe('tests of a control file', () => {
  it('come one by one from Tests, all with the rest of their stanza', () => {
    const tests = parse(
      'Tests: fred, bill\n bongo\nDepends: pkg1, pkg2 [amd64] | pkg3 (>= 3)\nRestrictions: needs-root, breaks-testbed\n',
    );
    expect(tests.map(({ name, program }) => [name, program])).toEqual([
      ['fred', { kind: 'file', path: 'debian/tests/fred' }],
      ['bill', { kind: 'file', path: 'debian/tests/bill' }],
      ['bongo', { kind: 'file', path: 'debian/tests/bongo' }],
    ]);
    for (const test of tests) {
      expect(test.restrictions).toEqual(['needs-root', 'breaks-testbed']);
      expect(test.depends).toEqual(['pkg1', 'pkg2 [amd64] | pkg3 (>= 3)']);
    }
  });

  it('depend on the package itself where nothing is said, and on nothing where nothing is named', () => {
    expect(parse('Tests: a\n')[0]?.depends).toEqual(['@']);
    expect(parse('Tests: a\nDepends:\n')[0]?.depends).toEqual([]);
  });

  it('are numbered where a command has no name, the named ones not counted', () => {
    const text =
      'Test-Command: true\n\nTest-Command: false\nFeatures: test-name=named\n\nTests: a\n\nTest-Command: echo\n';
    expect(parse(text).map(({ name }) => name)).toEqual(['command1', 'named', 'a', 'command2']);
  });

  it('may live in another directory of the tree', () => {
    const directories = ['', '.', 'debian/../debian/tests', 'a//b/'].map(
      (directory) => parse(`Tests: a\nTests-Directory: ${directory}\n`)[0]?.program,
    );
    expect(directories).toEqual(['a', 'a', 'debian/tests/a', 'a/b/a'].map((path) => ({ kind: 'file', path })));
    expect(parse('Tests: a\nTests-Directory: tests/installed/\n')[0]?.program).toEqual({
      kind: 'file',
      path: 'tests/installed/a',
    });
  });

  it('carry their classes, features and architectures', () => {
    const [test] = parse('Tests: a\nClasses: desktop, gpu\nFeatures: x y=z\nArchitecture: !i386 !any-arm\n');
    expect(test).toMatchObject({
      classes: ['desktop', 'gpu'],
      features: ['x', 'y=z'],
      architectures: ['!i386', '!any-arm'],
    });
  });

  it('remember a field that nobody knows, spelt as autopkgtest spells it', () => {
    expect(parse('Tests: a\nX-FOO-Bar: 1\n')[0]?.unknownField).toBe('X-foo-bar');
  });

  it('get the dependencies that restrictions bring along', () => {
    expect(parse('Tests: a\nRestrictions: needs-sudo needs-recommends\nDepends: sudo\n')[0]?.depends).toEqual([
      'sudo',
      'passwd',
      '@recommends@',
    ]);
  });
});

describe('a control file that says nonsense is refused in the words people know', () => {
  it.each([
    ['Depends: x\n', 'InvalidControl test *: missing "Tests" or "Test-Command" field (debian/tests/control:1)'],
    ['Tests: a\n\n\nTests:\n', 'InvalidControl test *: "Tests" field is empty (debian/tests/control:4)'],
    [
      `Test-Command: echo ${'x'.repeat(130_000)}\n`,
      'InvalidControl test *: "Test-Command" field is too long: put it into a file of debian/tests (debian/tests/control:1)',
    ],
    [
      `Test-Command: echo "${"'".repeat(10_000)}"\n`,
      'InvalidControl test *: "Test-Command" field is too long: put it into a file of debian/tests (debian/tests/control:1)',
    ],
    ['Tests: a\nDepends: b\0c\n', 'this line has a NUL character (debian/tests/control:2)'],
    ['Test-Command:\n', 'InvalidControl test *: "Test-Command" field is empty (debian/tests/control:1)'],
    [
      'Tests: a\nTest-Command: b\n',
      'InvalidControl test *: Only one of "Tests" or "Test-Command" may be given (debian/tests/control:2)',
    ],
    [
      'Tests: a\nFeatures: test-name=b\n',
      'InvalidControl test *: test-name feature incompatible with Tests (debian/tests/control:2)',
    ],
    [
      'Test-Command: a\nFeatures: test-name\n',
      'InvalidControl test *: test-name feature with no argument (debian/tests/control:2)',
    ],
    [
      'Test-Command: a\nFeatures: test-name=a, test-name=b\n',
      'InvalidControl test *: only one test-name feature allowed (debian/tests/control:2)',
    ],
    [
      'Tests: t\nDepends: foo bar\n',
      "InvalidControl test t: Test Depends field contains an invalid dependency `foo bar' (debian/tests/control:2)",
    ],
    [
      'Tests: t\nDepends: foo (>= a_b)\n',
      "InvalidControl test t: Test Depends field contains dependency `foo (>= a_b)' with an invalid version (debian/tests/control:2)",
    ],
    [
      'Tests: t\nDepends: @ | foo\n',
      "InvalidControl test t: Test Depends field contains an invalid dependency `@' (debian/tests/control:2)",
    ],
    [
      'Tests: t\nTests-Directory: ../x\n',
      'InvalidControl test *: "Tests-Directory" must be a path inside the source tree (debian/tests/control:2)',
    ],
  ])('%j', (text, message) => expect(problem(text)).toBe(message));
});
