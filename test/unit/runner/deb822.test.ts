import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDeb822, type Stanza } from '../../../src/runner/control/deb822.ts';
import { BadPackageError } from '../../../src/runner/errors.ts';

const plain = (stanzas: readonly Stanza[]) =>
  stanzas.map(({ fields }) => Object.fromEntries([...fields.values()].map(({ name, value }) => [name, value])));

function problem(text: string): string {
  try {
    parseDeb822(text, 'control');
  } catch (error) {
    if (error instanceof BadPackageError) return error.report;
    throw error;
  }
  return 'no problem';
}

describe('a control file', () => {
  it('is a list of stanzas between empty lines', () => {
    const text = 'Tests: a\nDepends: b\n\n\nTests: c\n \t\nTest-Command: d\n';
    expect(plain(parseDeb822(text, 'control'))).toEqual([
      { Tests: 'a', Depends: 'b' },
      { Tests: 'c' },
      { 'Test-Command': 'd' },
    ]);
  });

  it('folds continuation lines into one line', () => {
    expect(plain(parseDeb822('Tests:\n a,\n\t b\nDepends: x,\n y\n', 'control'))).toEqual([
      { Tests: 'a, b', Depends: 'x, y' },
    ]);
  });

  it('has comments anywhere, and a line that is only a comment ends no stanza', () => {
    const text = '# first\nTests: a # why\n  # inside\n# at the edge\n b\nDepends: # none\n';
    expect(plain(parseDeb822(text, 'control'))).toEqual([{ Tests: 'a b', Depends: '' }]);
  });

  it('may have DOS line ends, a byte order mark and no newline at its end', () => {
    expect(plain(parseDeb822('\uFEFFTests: a\r\nDepends:\r\n\r\nTests: b', 'control'))).toEqual([
      { Tests: 'a', Depends: '' },
      { Tests: 'b' },
    ]);
  });

  it('keeps colons in values and knows fields whatever their case', () => {
    const [stanza] = parseDeb822('TEST-command: echo a:b\n', 'control');
    expect(stanza?.fields.get('test-command')).toEqual({ name: 'TEST-command', value: 'echo a:b', line: 1 });
  });

  it('is empty where it holds nothing but comments and space', () => {
    expect(parseDeb822('', 'control')).toEqual([]);
    expect(parseDeb822('# nothing\n\n   \n', 'control')).toEqual([]);
  });
});

describe('a control file that is wrong names the file and the line', () => {
  it.each([
    ['a line without a colon', 'Tests: a\n\nDepends\n', 'expected "Field: value", found "Depends" (control:3)'],
    ['a name with a space', 'Some thing: x\n', 'expected "Field: value", found "Some thing: x" (control:1)'],
    ['a name that starts with a dash', '-Tests: x\n', 'expected "Field: value", found "-Tests: x" (control:1)'],
    ['a continuation of nothing', '\n Tests: a\n', 'a continuation line without a field before it (control:2)'],
    [
      'a field twice',
      'Tests: a\nDepends:\ntests: b\n',
      'field tests stands twice in a stanza, first on line 1 (control:3)',
    ],
  ])('%s', (_, text, message) => expect(problem(text)).toBe(message));
});

const name = fc.stringMatching(/^[A-Z][A-Za-z0-9-]{0,8}$/);
const word = fc.stringMatching(/^[!-"$-~]{1,8}$/);
const value = fc.array(word, { minLength: 1, maxLength: 4 });
const stanza = fc.uniqueArray(fc.tuple(name, value), {
  minLength: 1,
  maxLength: 5,
  selector: ([key]) => key.toLowerCase(),
});

describe('any control file', () => {
  it('reads back what was written, however it is folded', () => {
    const separator = fc.constantFrom(' ', '\n ', '\n\t', '\n  # comment\n ');
    fc.assert(
      fc.property(fc.array(stanza), separator, fc.constantFrom('\n', '\r\n'), (stanzas, fold, eol) => {
        const text = stanzas
          .map((fields) => fields.map(([key, words]) => `${key}: ${words.join(fold)}\n`).join(''))
          .join('\n')
          .replaceAll('\n', eol);
        const expected = stanzas.map((fields) =>
          Object.fromEntries(fields.map(([key, words]) => [key, words.join(' ')])),
        );
        expect(plain(parseDeb822(text, 'control'))).toEqual(expected);
      }),
    );
  });

  it('is either read or refused with a line that is in the file', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('A', ':', ' ', '\n', '#', '\t', '\r', '-') }), (text) => {
        try {
          parseDeb822(text, 'control');
        } catch (error) {
          expect(error).toBeInstanceOf(BadPackageError);
          const { line } = error as BadPackageError;
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(text.split('\n').length);
        }
      }),
    );
  });
});
