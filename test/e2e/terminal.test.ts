import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeWith } from '../support/needs.ts';
import { makePackage } from '../support/packages.ts';
import { workplace } from '../support/workplace.ts';
import { cli, ownState } from './support/cli.ts';
import { Terminal } from './support/terminal.ts';

/** A line of shell that says what kind of input its terminal takes. */
const SAY_MODE = "stty -a | grep -o '.icanon' | sed s/^/MODE:/";

describeWith(['node-pty'], 'trundle shell on a terminal', () => {
  test('is a shell in the testbed, on a terminal of the same size, that Ctrl-C does not end', async () => {
    const terminal = new Terminal(['shell', '--', 'null'], ownState());
    await terminal.shows('this shell is in testbed tb1 (null), which is removed when it ends');
    terminal.type('stty size; echo "ready"-here\r');
    await terminal.shows('24 80');
    await terminal.shows(/[\r\n]ready-here/);
    terminal.type(`sh -c 'echo be"gin"; exec sleep 1000'\r`);
    await terminal.shows(/[\r\n]begin/);
    terminal.type('\u0003');
    terminal.resize(100, 30);
    terminal.type('stty size\r');
    await terminal.shows('30 100');
    terminal.type('exit 7\r');
    expect(await terminal.ended).toEqual({ status: 7, signal: 0 });
  });

  test('runs a line instead of a login shell, with the status as its own', async () => {
    const terminal = new Terminal(['shell', 'tty >/dev/null && exit 5', '--', 'null'], ownState());
    expect(await terminal.ended).toEqual({ status: 5, signal: 0 });
  });

  test.each(['exit', 'kill -9 $$'])('gives the terminal back as it was after %s', async (last) => {
    const terminal = new Terminal([], ownState(), `$TRUNDLE shell -- null; ${SAY_MODE}`);
    await terminal.shows('this shell is in testbed');
    terminal.type(`${SAY_MODE}; ${last}\r`);
    await terminal.ended;
    // Within, the inner terminal is an ordinary one as well.
    expect(terminal.output.match(/MODE:.icanon/g)).toEqual(['MODE: icanon', 'MODE: icanon']);
  });

  test('gives the terminal back where a signal ends it', async () => {
    const terminal = new Terminal([], ownState(), `$TRUNDLE shell -- null; echo status=$?; ${SAY_MODE}`);
    await terminal.shows('this shell is in testbed');
    terminal.type('kill -TERM $PPID\r');
    await terminal.shows('MODE:');
    expect(terminal.output).toContain('status=143');
    expect(terminal.output).toContain('MODE: icanon');
  });

  test('prints its document on stdout and talks on stderr with --json', async () => {
    const file = join(workplace(), 'end.json');
    const terminal = new Terminal([], ownState(), `$TRUNDLE shell --json 'exit 3' -- null >${file}; cat ${file}`);
    await terminal.ended;
    expect(JSON.parse(terminal.output.slice(terminal.output.indexOf('{')))).toMatchObject({
      exitCode: 3,
      result: { kind: 'exited', status: 3 },
    });
  });
});

test('trundle shell needs a terminal', async () => {
  const { status, stdout, stderr } = await cli(['shell', '--', 'null'], { env: ownState() });
  expect([status, stdout]).toEqual([20, '']);
  expect(stderr).toContain('an interactive shell needs a terminal');
  expect(stderr).toContain("trundle exec 'LINE' -- BACKEND");
});

describeWith(['node-pty'], 'a terminal that is closed', () => {
  test('ends Trundle in order by SIGHUP, and does not have it aborted', async () => {
    const env = ownState();
    const terminal = new Terminal(['exec', '-n', 'echo begun; sleep 1000', '--', 'null'], env);
    await terminal.shows('begun');
    terminal.close();
    expect(await terminal.ended).toMatchObject({ signal: constants.signals.SIGHUP });
    const told = JSON.parse((await cli(['explain', '--json', '--last'], { env })).stdout);
    expect(told).toMatchObject({ exitCode: 129, cause: { class: 'operator-interrupted' }, left: [] });
  });
});

describeWith(['node-pty'], 'trundle run on a terminal', () => {
  const waiting = () => {
    const gate = join(workplace(), 'gate');
    const source = makePackage(workplace(), {
      tests: { first: `echo begun; while [ ! -e ${gate} ]; do sleep 0.05; done; echo over`, second: 'true' },
    });
    return { source, open: () => writeFileSync(gate, '') };
  };

  test('tells what it does in a line that does not stay', async () => {
    const { source, open } = waiting();
    const terminal = new Terminal(['run', source, '--', 'null'], ownState());
    await terminal.shows(/test 1\/2 first: running.*\(deadline command: 2h46m left\)/);
    open();
    await terminal.shows('second               PASS');
    expect(await terminal.ended).toEqual({ status: 0, signal: 0 });
    expect(screenOf(terminal.output).filter((line) => line.startsWith('['))).toEqual([]);
    expect(screenOf(terminal.output)).toContain('over');
  });

  test('uses no colours with NO_COLOR', async () => {
    const { source, open } = waiting();
    const terminal = new Terminal(['run', source, '--', 'null'], { ...ownState(), NO_COLOR: '1' });
    await terminal.shows('test 1/2 first: running');
    open();
    await terminal.ended;
    // Of the escape sequences only "erase to the end of the line" is left.
    expect(terminal.output.replaceAll('\u001b[K', '')).not.toContain('\u001b');
  });

  test('draws nothing on a terminal that cannot', async () => {
    const { source, open } = waiting();
    const terminal = new Terminal([], ownState(), `TERM=dumb $TRUNDLE run ${source} -- null`);
    await terminal.shows('begun');
    open();
    await terminal.ended;
    expect(terminal.output).not.toContain('\u001b');
    expect(terminal.output).toContain('trundle: tb1: the testbed is ready');
  });

  test('answers Ctrl-C at once, and says how to insist', async () => {
    const { source } = waiting();
    const terminal = new Terminal(['run', source, '--', 'null'], ownState());
    await terminal.shows('begun');
    terminal.type('\u0003');
    await terminal.shows('SIGINT: taking the testbed down; press Ctrl-C again to force');
    expect(await terminal.ended).toEqual({ status: 130, signal: 0 });
  });

  test('opens a shell after a failed test, and goes on when it ends', async () => {
    const source = makePackage(workplace(), { tests: { bad: 'exit 3', good: 'true' } });
    const terminal = new Terminal(['run', '--shell-fail', source, '--', 'null'], ownState());
    await terminal.shows('running shell');
    terminal.type('echo "in"side; exit\r');
    await terminal.shows(/[\r\n]inside/);
    await terminal.shows('good                 PASS');
    expect(await terminal.ended).toEqual({ status: 4, signal: 0 });
  });
});

/** What stands on the screen in the end, as far as lines, carriage returns and erasing go. */
function screenOf(output: string): string[] {
  return output.split('\n').map((line) => (line.split('\r\u001b[K').at(-1) ?? '').replaceAll('\r', ''));
}
