import { PassThrough } from 'node:stream';
import { Subject } from 'rxjs';
import { expect, test } from 'vitest';
import type { CommandEnd, Testbed } from '../../src/testbed/index.ts';
import { makeLifeline } from '../support/lifeline.ts';
import { forThisTest } from '../support/workplace.ts';
import { onEveryServer, publicPlace } from './support/openHost.ts';

const SIZE = { columns: 91, rows: 23 };

onEveryServer('an interactive shell', ['node-pty'], (host) => {
  test('is a login shell on a terminal of the size that was asked for', async () => {
    const shell = talk(host.testbed);
    shell.type('stty size; tty; echo "$TERM"; echo "zero: $0"\n');
    await shell.says(/23 91\r\n\/dev\/pts\/\d+\r\nxterm-256color\r\nzero: /);
    shell.type('exit 7\n');
    expect((await shell.ended).result).toEqual({ kind: 'exited', status: 7 });
  });

  test('is told when the window changes', async () => {
    const shell = talk(host.testbed, { line: 'trap "stty size" WINCH; echo ready; while :; do sleep 0.1; done' });
    await shell.says(/ready/);
    shell.resizes$.next({ columns: 133, rows: 44 });
    await shell.says(/44 133/);
    shell.type('\x03');
    await shell.ended;
  });

  test('hands Ctrl-C to the program in the foreground', async () => {
    const lifeline = forThisTest(makeLifeline(publicPlace()));
    const shell = talk(host.testbed);
    shell.type(`sh -c '${lifeline.linger.replaceAll("'", '"')}'\n`);
    await lifeline.held;
    shell.type('\x03');
    await lifeline.released;
    shell.type('echo "status: $?"\n');
    await shell.says(/status: 130/);
    shell.type('exit\n');
    expect((await shell.ended).result).toMatchObject({ kind: 'exited' });
  });

  test('ends at Ctrl-D', async () => {
    const shell = talk(host.testbed, { line: 'stty -echo; echo ready; cat; echo "cat has ended"; exit 3' });
    await shell.says(/ready/);
    shell.type('a line\n');
    await shell.says(/a line/);
    shell.type('\x04');
    await shell.says(/cat has ended/);
    expect((await shell.ended).result).toEqual({ kind: 'exited', status: 3 });
  });

  test('takes what it starts along when it is cancelled', async () => {
    const lifeline = forThisTest(makeLifeline(publicPlace()));
    const aborter = new AbortController();
    const shell = talk(host.testbed, { line: lifeline.linger, signal: aborter.signal });
    await lifeline.held;
    aborter.abort();
    expect((await shell.ended).result).toEqual({ kind: 'cancelled' });
    await lifeline.released;
  });

  test('ends at once when it is cancelled, though a login shell heeds no SIGTERM', async () => {
    const aborter = new AbortController();
    const shell = talk(host.testbed, { signal: aborter.signal });
    shell.type('echo "it is $((6 * 7))"\n');
    await shell.says(/it is 42/);
    aborter.abort();
    const { result, command } = await shell.ended;
    expect(result).toEqual({ kind: 'cancelled' });
    expect(host.log.all('deadline.expired').filter(({ subject }) => subject === `command:${command}`)).toEqual([]);
  });

  test('prints a megabyte to the last byte', async () => {
    const shell = talk(host.testbed, { line: 'stty -opost; head -c 1000000 /dev/zero | tr "\\0" x; echo THE END' });
    expect((await shell.ended).result).toEqual({ kind: 'exited', status: 0 });
    expect(shell.said().replaceAll(/[^x]/g, '').length).toBe(1_000_000);
    expect(shell.said()).toMatch(/THE END\s*$/);
  });
});

interface Talk {
  type(text: string): void;
  /** Resolves when this was said. */
  says(words: RegExp): Promise<void>;
  said(): string;
  readonly resizes$: Subject<{ columns: number; rows: number }>;
  readonly ended: Promise<CommandEnd>;
}

function talk(testbed: Testbed, options: { line?: string; signal?: AbortSignal } = {}): Talk {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const resizes$ = new Subject<{ columns: number; rows: number }>();
  let said = '';
  let heard = () => {};
  stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    heard();
  });
  const ended = testbed.shell({ stdin, stdout, size: SIZE, resizes$, ...options });
  return {
    type: (text) => void stdin.write(text),
    says: (words) =>
      new Promise((resolve) => {
        heard = () => {
          if (words.test(said)) resolve();
        };
        heard();
      }),
    said: () => said,
    resizes$,
    ended,
  };
}
