import fc from 'fast-check';
import { expect, test } from 'vitest';
import { didYouMean, nearest } from '../../../src/events/nearest.ts';

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
