import { PassThrough } from 'node:stream';
import { Subject } from 'rxjs';
import { expect, test } from 'vitest';
import { Screen } from '../../support/screen.ts';
import type { Contract } from '../support/contract.ts';
import { makeMark, processesWith } from '../support/marks.ts';

export function shell(contract: Contract): void {
  test('runs on a terminal of the size and kind asked for, and tells a new size', async () => {
    const stdin = new PassThrough();
    const screen = new Screen();
    const resizes$ = new Subject<{ columns: number; rows: number }>();
    const ended = contract.testbed.shell({
      stdin,
      stdout: screen,
      size: { columns: 91, rows: 17 },
      resizes$,
      term: 'xterm',
      line: 'trap "stty size; exit 3" WINCH; tty; stty size; echo "$TERM ready"; while :; do read -r _ || exit 9; done',
    });
    await screen.shows(/\/dev\/pts\/\d+\s+17 91\s+xterm ready/);
    resizes$.next({ columns: 120, rows: 50 });
    // A shell takes notice between two lines that it reads.
    stdin.write('\n');
    expect((await ended).result).toEqual({ kind: 'exited', status: 3 });
    expect(screen.text).toContain('50 120');
  });

  test('is the login shell where nothing else is asked for, and ends with its status', async () => {
    const stdin = new PassThrough();
    const screen = new Screen();
    const ended = contract.testbed.shell({ stdin, stdout: screen, size: { columns: 80, rows: 24 } });
    stdin.write('echo so-it-$((6 * 7))-is; exit 5\n');
    expect((await ended).result).toEqual({ kind: 'exited', status: 5 });
    expect(screen.text).toContain('so-it-42-is');
  });

  test('has lines that end as on any terminal, and a name by which it can be opened, by an ordinary user too', async () => {
    for (const login of [contract.backend.login, contract.preparation.ordinary]) {
      if (login === null) continue;
      const screen = new Screen();
      const line = 'test -t 0 && test -t 1 && test -t 2 && echo there >"$(tty)"';
      const aim = { stdin: new PassThrough(), stdout: screen, size: { columns: 80, rows: 24 } };
      const { result } = await contract.testbed.shell({ ...aim, login, line });
      expect({ login, result, said: screen.text }).toEqual({
        login,
        result: { kind: 'exited', status: 0 },
        said: 'there\r\n',
      });
    }
  });

  test('takes Ctrl-C for an interrupt, and the end of what it runs for no more', async () => {
    const stdin = new PassThrough();
    const screen = new Screen();
    const line = 'trap "echo interrupted; exit 4" INT; echo ready; while :; do sleep 1; done';
    const ended = contract.testbed.shell({ stdin, stdout: screen, size: { columns: 80, rows: 24 }, line });
    await screen.shows(/ready/);
    stdin.write('\u0003');
    expect((await ended).result).toEqual({ kind: 'exited', status: 4 });
    expect(screen.text).toContain('interrupted');
  });

  test('takes a long line, or refuses it with words, and goes on', async () => {
    const screen = new Screen();
    const aim = { stdin: new PassThrough(), stdout: screen, size: { columns: 80, rows: 24 } };
    const { result } = await contract.testbed.shell({ ...aim, line: `x=${'y'.repeat(60_000)}; echo "\${#x} long"` });
    if (contract.backend.server === 'sshd') {
      expect(result).toEqual({ kind: 'exited', status: 0 });
      expect(screen.text).toContain('60000 long');
    } else expect(result).toEqual({ kind: 'refused', message: expect.stringMatching(/too long.* of 30000 bytes/) });
    expect(await contract.testbed.exec(['true'])).toMatchObject({ status: 0 });
  });

  test('ends with all that runs on it when it is called off', async () => {
    const mark = makeMark();
    const screen = new Screen();
    const aborter = new AbortController();
    const ended = contract.testbed.shell({
      stdin: new PassThrough(),
      stdout: screen,
      size: { columns: 80, rows: 24 },
      line: `sleep ${mark} & echo ready; sleep ${mark}; true`,
      signal: aborter.signal,
    });
    await screen.shows(/ready/);
    aborter.abort(new Error('that is long enough'));
    expect((await ended).result).toEqual({ kind: 'cancelled' });
    expect(processesWith(mark)).toEqual([]);
    expect(await contract.testbed.exec(['true'])).toMatchObject({ status: 0 });
  });
}
