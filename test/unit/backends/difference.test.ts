import fc from 'fast-check';
import { expect, test } from 'vitest';
import { around, aroundDifference } from '../../../src/backends/replay/difference.ts';

const SCRIPT = 'x=1; '.repeat(100);

test('short lines are shown as they are', () => {
  expect(aroundDifference(['echo a'], 'echo b')).toEqual({ asked: 'echo a', recorded: 'echo b' });
});

test('of long lines what stands around the first difference', () => {
  const { asked, recorded } = aroundDifference([`${SCRIPT}shout${SCRIPT}`], `${SCRIPT}greet${SCRIPT}`);
  expect(asked).toBe(`...${'x=1; '.repeat(8)}shout${'x=1; '.repeat(11)}...`);
  expect(recorded).toBe(`...${'x=1; '.repeat(8)}greet${'x=1; '.repeat(11)}...`);
});

test('the form that comes nearest is the one that is meant', () => {
  expect(aroundDifference(["sh -c 'echo a'", 'echo a'], 'echo b').asked).toBe('echo a');
});

test('whatever two lines are, what is shown is short, of one line, and not the same', () => {
  const line = fc.string({ maxLength: 600 });
  fc.assert(
    fc.property(line, line, line, (same, a, b) => {
      fc.pre(a !== b);
      const { asked, recorded } = aroundDifference([same + a], same + b);
      for (const each of [asked, recorded]) expect(each.length).toBeLessThanOrEqual(210);
      expect(asked).not.toBe(recorded);
    }),
  );
  expect(around('a\nb', 0)).toBe('a\\nb');
});
