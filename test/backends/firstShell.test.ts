import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { FirstShell, initScript, THREE_PIPES } from '../../src/backends/shared/namespaces/FirstShell.ts';
import { describeWith } from '../support/needs.ts';

/** Every shell that may be an image's /bin/sh. */
const SHELLS = [['dash'], ['bash', '--posix'], ['busybox', 'sh']] as const;

/** The init of a pid namespace, as it runs in a testbed, with a shell that runs a script. */
async function started(sh: readonly string[], script: string): Promise<{ init: ChildProcess; shell: FirstShell }> {
  const argv = ['--pid', '--fork', '--kill-child', '--mount-proc', '--', ...sh, '-c', initScript(true), 'sh', 'root'];
  const init = spawn('unshare', argv, { stdio: ['pipe', 'pipe', 'inherit', ...THREE_PIPES] });
  onTestFinished(() => void init.kill('SIGKILL'));
  const shell = new FirstShell(init);
  shell.stdin.write(script);
  let said = '';
  await new Promise<void>((resolve) => {
    init.stdout?.setEncoding('utf8').on('data', (words: string) => {
      said += words;
      shell.hear(said);
      if (said.startsWith('ready\n')) resolve();
    });
  });
  return { init, shell };
}

async function ends(init: ChildProcess): Promise<unknown> {
  init.stdin?.end();
  if (init.exitCode === null) await once(init, 'exit');
  return init.exitCode;
}

/** What it says until a line, and no more. */
async function until(stream: Readable, line: string): Promise<void> {
  let said = '';
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    said += chunk;
    if (said.includes(`${line}\n`)) return;
  }
}

for (const sh of SHELLS) {
  describeWith(['root', 'unshare', sh[0]], `the first shell of a testbed whose sh is ${sh[0]}`, () => {
    test('tells its end, and all that it said before, though its pipes stay open elsewhere', async () => {
      const { init, shell } = await started(sh, 'seq 1 30000; echo words >&2; exit 3\n');
      const [said, words, end] = await Promise.all([text(shell.stdout), text(shell.stderr), shell.closed]);
      expect(said.split('\n')).toHaveLength(30_001);
      expect(words).toBe('words\n');
      expect(end).toEqual({ status: 3, killedBy: null });
      expect(shell.hasEnded()).toBe(true);
      expect(await ends(init)).not.toBeNull();
    });

    test('is read to its end also by who comes late and reads slowly', async () => {
      const { init, shell } = await started(sh, 'seq 1 12000; exit 0\n');
      await shell.exited;
      let said = '';
      shell.stdout.on('data', (chunk) => {
        said += chunk;
        shell.stdout.pause();
        setImmediate(() => shell.stdout.resume());
      });
      await once(shell.stdout, 'end');
      expect(said.endsWith('\n12000\n')).toBe(true);
      await ends(init);
    });

    test('ends with the init, which ends with its stdin', async () => {
      const { init, shell } = await started(sh, 'echo here\nexec cat\n');
      await until(shell.stdout, 'here');
      expect(shell.hasEnded()).toBe(false);
      await ends(init);
      await shell.exited;
    });

    test('has what it was given as its first words', async () => {
      const { init, shell } = await started(sh, 'echo "for $1"\nexec cat\n');
      await until(shell.stdout, 'for root');
      await ends(init);
    });

    test('may be killed with all else: the init tells, stays, and still ends with its stdin', async () => {
      const { init, shell } = await started(sh, '(kill -9 -1) & exec cat\n');
      shell.stdout.resume();
      shell.stderr.resume();
      expect(await shell.closed).toEqual({ status: 137, killedBy: null });
      expect(init.exitCode).toBeNull();
      await ends(init);
    });
  });
}
