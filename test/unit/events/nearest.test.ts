import fc from 'fast-check';
import { expect, test } from 'vitest';
import { didYouMean, nearest, nearestOption } from '../../../src/events/nearest.ts';

const VERBS = ['run', 'exec', 'shell', 'explain', 'replay', 'reap', 'backends'];

test.each([
  ['rnu', 'run'],
  ['exce', 'exec'],
  ['explian', 'explain'],
  ['backend', 'backends'],
  ['SHELL', 'shell'],
])('%s is meant to be %s', (typed, meant) => {
  expect(nearest(typed, VERBS)).toBe(meant);
});

test('a word that is like none is none', () => {
  expect(nearest('frobnicate', VERBS)).toBeNull();
  expect(didYouMean('frobnicate', VERBS)).toBe('');
});

test.each([
  ['nope', 'copy'],
  ['or', 'on'],
  ['debug', 'setup'],
  ['timestamps', 'timeout-test'],
  ['setup-scripts', 'setup-commands'],
])('%s is not meant to be %s', (typed, candidate) => {
  expect(nearest(typed, [candidate])).toBeNull();
});

test('the dashes of options do not make them alike', () => {
  const options = ['--copy', '--setup-commands', '--test-name'];
  expect(nearestOption('--nope', options)).toBeNull();
  expect(nearestOption('--cpy', options)).toBe('--copy');
  expect(nearestOption('--tset-name', options)).toBe('--test-name');
  expect(nearestOption('--setup-comands', options)).toBe('--setup-commands');
});

test('a word is nearest to itself', () => {
  fc.assert(fc.property(fc.constantFrom(...VERBS), (verb) => nearest(verb, VERBS) === verb));
});

test('no word makes it fail', () => {
  fc.assert(
    fc.property(fc.string(), (word) => {
      const found = nearest(word, VERBS);
      return found === null || VERBS.includes(found);
    }),
  );
});
