import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withoutLine } from '../../../src/backends/containers/Watch.ts';

const LINE = 'it has started';

function handedOn(chunks: readonly string[]): string {
  let said = '';
  const feed = withoutLine(LINE, (chunk) => {
    said += Buffer.from(chunk).toString();
  });
  for (const chunk of chunks) feed(Buffer.from(chunk));
  return said;
}

describe('what a container says of itself', () => {
  test.each([
    ['is left out', [`${LINE}\nlogin: `], 'login: '],
    ['is left out with the line end of a terminal', [`${LINE}\r\nx\r\n`], 'x\r\n'],
    ['is left out each time', [`${LINE}\n`, `a\n${LINE}\nb\n`, `${LINE}\n`], 'a\nb\n'],
    ['is left out in pieces', ['it has', ' started', '\r', '\nx'], 'x'],
    ['stays within another line', [`say ${LINE}\n`, ` ${LINE}\n`], `say ${LINE}\n ${LINE}\n`],
    ['does not hold up what only begins alike', ['it has ended'], 'it has ended'],
  ])('%s', (_, chunks, rest) => {
    expect(handedOn(chunks)).toBe(rest);
  });

  test('makes no difference to how the rest is cut', () => {
    const piece = fc.constantFrom(LINE, 'it has', 'x', '\n', '\r\n', '\r', ' ');
    fc.assert(
      fc.property(fc.array(piece), fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (pieces, sizes) => {
        const text = `${pieces.join('')}\n`;
        const chunks: string[] = [];
        for (let at = 0; at < text.length; ) {
          const size = sizes.next().value as number;
          chunks.push(text.slice(at, at + size));
          at += size;
        }
        const lines = text.split(/(?<=\n)/).filter((line) => line !== `${LINE}\n` && line !== `${LINE}\r\n`);
        expect(handedOn(chunks)).toBe(lines.join(''));
      }),
    );
  });
});
