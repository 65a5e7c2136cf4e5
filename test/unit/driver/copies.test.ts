import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { copyFileDown } from '../../../src/driver/copy/copyFile.ts';
import { copyTreeUp } from '../../../src/driver/copy/copyTree.ts';
import type { CopyExec } from '../../../src/driver/copy/exec.ts';
import type { Cause, CommandResult } from '../../../src/events/index.ts';
import { workplace } from '../../support/workplace.ts';

type End = { result: CommandResult; cause: Cause | null };

const ABORTED: End = {
  result: { kind: 'cancelled' } as CommandResult,
  cause: { class: 'operator-interrupted', phase: 'exec', detail: 'called off' } as Cause,
};

/** The half in a testbed: it sends an archive and then zeros, until it is called off. */
function endless(archive: Buffer): CopyExec {
  return (_command, { signal }) => {
    const stdout = Readable.from(
      (async function* () {
        yield archive;
        while (signal?.aborted !== true) yield Buffer.alloc(64 * 1024);
      })(),
      { objectMode: false },
    );
    const stderr = new PassThrough().end();
    const ended = new Promise<End>((resolve) => {
      signal?.addEventListener('abort', () => resolve(ABORTED), { once: true });
    });
    return { stdout, stderr, ended };
  };
}

/** An archive of a file whose name no file system takes. */
function nameTooLong(place: string): Buffer {
  writeFileSync(join(place, 'file'), 'x');
  return execFileSync('tar', ['-c', '-C', place, `--transform=s/^file/${'n'.repeat(300)}/`, 'file']);
}

/** The half in a testbed by a shell of this machine, which finds these programs before all others. */
function shellWith(programs: Readonly<Record<string, string>>): CopyExec {
  const bin = workplace();
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return (command, { stdin }) => {
    const [program = '', ...args] = command;
    // Its pid is its group's.
    const child = spawn(program, args, { env: { ...process.env, PATH: `${bin}:${process.env.PATH}` }, detached: true });
    const ended = once(child, 'close').then(([status, signal]): End => {
      const result = signal === null ? { kind: 'exited', status } : { kind: 'signalled', signal };
      return { result: result as CommandResult, cause: null };
    });
    child.stdin.on('error', () => {});
    stdin?.pipe(child.stdin);
    return { stdout: child.stdout, stderr: child.stderr, ended };
  };
}

test.each([
  ['as its temporary file is made', { mktemp: 't=$(/usr/bin/mktemp "$@"); kill -s TERM -- "-$PPID"; echo "$t"' }],
  ['as it is written', { cat: 'trap "" TERM; kill -s TERM -- "-$PPID"; exec /usr/bin/cat' }],
  ['as its size is counted', { wc: 'kill -s TERM -- "-$PPID"' }],
  ['as it gets its mode', { chmod: 'kill -s TERM -- "-$PPID"' }],
])('a file whose copy gets SIGTERM %s leaves nothing', async (_moment, programs) => {
  const from = join(workplace(), 'file');
  writeFileSync(from, 'words');
  const there = workplace();
  const copying = copyFileDown(shellWith(programs), { from, to: join(there, 'file'), onBytes: () => {} });
  await expect(copying).rejects.toMatchObject({ causeClass: 'copy-failed' });
  expect(readdirSync(there)).toEqual([]);
});

test('a tree that the host cannot take says why, though the half in the testbed is then called off', async () => {
  const place = workplace();
  const to = join(workplace(), 'there');
  const copying = copyTreeUp(endless(nameTooLong(place)), { from: '/from/', to: `${to}/`, onBytes: () => {} });
  await expect(copying).rejects.toMatchObject({
    causeClass: 'copy-failed',
    failure: { code: 'ENAMETOOLONG', message: expect.stringMatching(/^on the host: .*File name too long/) },
  });
  expect(existsSync(to)).toBe(false);
  expect(readdirSync(join(to, '..'))).toEqual([]);
});

test('a tree that is called off by whoever asked for it was called off', async () => {
  const asked = new AbortController();
  const to = join(workplace(), 'there');
  const onBytes = () => asked.abort();
  const copying = copyTreeUp(endless(Buffer.alloc(0)), { from: '/from/', to: `${to}/`, onBytes, signal: asked.signal });
  await expect(copying).rejects.toMatchObject({ causeClass: 'operator-interrupted', remote: ABORTED.cause });
  expect(readdirSync(join(to, '..'))).toEqual([]);
});

/** The half in a testbed: it sends an archive, and ends as tar does that could not read everything. */
function incomplete(archive: Buffer, status: number, words: string): CopyExec {
  return () => ({
    stdout: Readable.from([archive], { objectMode: false }),
    stderr: new PassThrough().end(words),
    ended: Promise.resolve<End>({ result: { kind: 'exited', status } as CommandResult, cause: null }),
  });
}

const UNREAD = ['tar: ./zero: Cannot open: Permission denied', 'tar: ./dir/f: Cannot stat: Permission denied'];
const PREVIOUS = 'tar: Exiting with failure status due to previous errors\n';

test('what may not be read stays behind where somebody wants to hear of it', async () => {
  const place = workplace();
  writeFileSync(join(place, 'good'), 'good');
  const archive = execFileSync('tar', ['-c', '--format=gnu', '-C', place, './good']);
  const to = join(place, 'to');
  const up = (status: number, words: string, onLeftOut?: (entry: string, why: string) => void) =>
    copyTreeUp(incomplete(archive, status, words), {
      from: '/artifacts/',
      to: `${to}/`,
      onBytes: () => {},
      ...(onLeftOut === undefined ? {} : { onLeftOut }),
    });

  const left: string[] = [];
  const note = (entry: string, why: string) => left.push(`${why} ${entry}`);
  await up(2, ['tar: ./s: socket ignored', ...UNREAD, PREVIOUS].join('\n'), note);
  expect(left).toEqual(['special s', 'unreadable zero', 'unreadable dir/f']);
  expect(readdirSync(to)).toEqual(['good']);

  // Somebody was writing there: it comes as it was found.
  await up(1, 'tar: ./good: file changed as we read it\n', note);
  expect(left).toHaveLength(3);

  await expect(up(2, [...UNREAD, PREVIOUS].join('\n'))).rejects.toThrow('zero: Cannot open');
  const fatal = 'tar: -: Cannot write: No space left on device\ntar: Error is not recoverable: exiting now\n';
  await expect(up(2, `${UNREAD[0]}\n${fatal}`, note)).rejects.toThrow('No space left');
  await expect(up(127, 'sh: 1: exec: tar: not found\n', note)).rejects.toThrow('not found');
  await expect(up(2, '', note)).rejects.toThrow('exit status 2');
});
