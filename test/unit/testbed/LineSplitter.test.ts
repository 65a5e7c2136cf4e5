import { expect, test } from 'vitest';
import { LineSplitter } from '../../../src/testbed/LineSplitter.ts';

/** The lines that chunks come to. */
function linesOf(...chunks: string[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.write(Buffer.from(chunk, 'latin1'));
  splitter.end();
  return lines;
}

test('a line is told once it has ended, and the last at the end', () => {
  expect(linesOf('on', 'e\r\r\ntwo\nthr', 'ee')).toEqual(['one', 'two', 'three']);
});

test('what a console colours and draws is told as it reads', () => {
  expect(linesOf('[\u001b[0;32m  OK  \u001b[0m] Reached \u001b[0;1;39mgetty.target\u001b[0m\u0007\tdone\n')).toEqual([
    '[  OK  ] Reached getty.target\tdone',
  ]);
});

test('a character that came in two pieces is whole', () => {
  expect(linesOf('caf\u00c3', '\u00a9\n')).toEqual(['café']);
});

test('a line without an end is told in pieces', () => {
  expect(linesOf('x'.repeat(5000)).map((line) => line.length)).toEqual([4096]);
  expect(linesOf('x'.repeat(4000), 'y'.repeat(4000)).map((line) => line.length)).toEqual([4096]);
});
