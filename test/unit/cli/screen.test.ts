import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { canDraw } from '../../../src/cli/live/colors.ts';
import { type Output, Screen } from '../../../src/cli/live/Screen.ts';

/** A terminal that keeps what is written to it, write by write. */
class FakeTerminal extends Writable implements Output {
  readonly isTTY: boolean;
  readonly columns = 40;
  readonly writes: string[] = [];

  constructor(isTTY = true) {
    super({
      write: (chunk: Buffer, _encoding, done) => {
        this.writes.push(chunk.toString());
        done();
      },
    });
    this.isTTY = isTTY;
  }
}

/** What a terminal of 40 columns shows after these writes: carriage return, erase to the end of the line, newline. */
function shown(writes: readonly string[]): string[] {
  const lines = [''];
  let column = 0;
  const text = writes.join('');
  for (let at = 0; at < text.length; at++) {
    const line = lines.at(-1) ?? '';
    if (text.startsWith('\u001b[K', at)) {
      lines[lines.length - 1] = line.slice(0, column);
      at += 2;
    } else if (text[at] === '\r') column = 0;
    else if (text[at] === '\n') {
      lines.push('');
      column = 0;
    } else {
      lines[lines.length - 1] = line.slice(0, column) + text[at] + line.slice(column + 1);
      column += 1;
    }
  }
  return lines;
}

describe('a screen with a status line', () => {
  test('keeps it below what is written', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal, terminal, true);
    screen.status('working');
    screen.stdout.write('one\n');
    screen.stderr.write('two\n');
    screen.status('still working');
    expect(shown(terminal.writes)).toEqual(['one', 'two', 'still working']);
  });

  test('takes it away and draws it again in one write, so that it does not flicker', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal, terminal, true);
    screen.status('working');
    screen.stdout.write('one\n');
    expect(terminal.writes).toEqual(['\rworking\u001b[K', '\r\u001b[Kone\nworking']);
  });

  test('writes a status only where it has changed', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal, terminal, true);
    screen.status('working');
    screen.status('working');
    expect(terminal.writes).toHaveLength(1);
  });

  test('leaves an unfinished line alone until it is finished', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal, terminal, true);
    screen.status('working');
    screen.stdout.write('one');
    screen.status('still working');
    expect(shown(terminal.writes)).toEqual(['one']);
    screen.stdout.write(' and two\n');
    expect(shown(terminal.writes)).toEqual(['one and two', 'still working']);
  });

  test('leaves nothing of a longer status behind a shorter one', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal, terminal, true);
    screen.status('a long status line');
    screen.status('short');
    expect(shown(terminal.writes)).toEqual(['short']);
  });

  test('is gone when there is nothing to say', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal, terminal, true);
    screen.status('working');
    screen.status('');
    expect(shown(terminal.writes)).toEqual(['']);
  });

  test('leaves the terminal to others while it is suspended', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal, terminal, true);
    screen.status('working');
    screen.suspend();
    screen.status('still working');
    screen.stderr.write('a message\n');
    expect(shown(terminal.writes)).toEqual(['a message', '']);
    screen.resume();
    expect(shown(terminal.writes)).toEqual(['a message', 'still working']);
  });

  test('passes bytes through untouched where stdout is not the terminal', () => {
    const [pipe, terminal] = [new FakeTerminal(false), new FakeTerminal()];
    const screen = new Screen(pipe, terminal, true);
    screen.status('working');
    screen.stdout.write('one\n');
    expect(pipe.writes).toEqual(['one\n']);
    expect(shown(terminal.writes)).toEqual(['working']);
  });

  test('draws nothing where stderr is no terminal', () => {
    const [terminal, pipe] = [new FakeTerminal(), new FakeTerminal(false)];
    const screen = new Screen(terminal, pipe, true);
    expect(screen.live).toBe(false);
    screen.status('working');
    screen.stdout.write('one\n');
    expect([terminal.writes, pipe.writes]).toEqual([['one\n'], []]);
  });

  test('goes on for a writer whose reader has left', async () => {
    const terminal = new FakeTerminal(false);
    terminal.destroy();
    const screen = new Screen(terminal, new FakeTerminal(), true);
    await expect(new Promise((resolve) => screen.stdout.write('one\n', resolve))).resolves.toBeFalsy();
  });
});

test.each([
  [true, 'xterm', true],
  [true, 'dumb', false],
  [true, undefined, false],
  [false, 'xterm', false],
])('a stream that is a terminal (%s) of type %s can be drawn on: %s', (isTTY, TERM, expected) => {
  expect(canDraw(new FakeTerminal(isTTY), { TERM })).toBe(expected);
});
