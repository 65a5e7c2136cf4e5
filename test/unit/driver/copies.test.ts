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
