import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, rename, rm, stat } from 'node:fs/promises';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CopyError, type CopyExec, type CopyRequest } from './exec.ts';
import { asCopyError, decisive, remoteFailure, wordsOf } from './outcome.ts';

/**
 * Writes stdin to a temporary file beside the target and renames it once it holds all the bytes: a connection that
 * breaks looks to the remote shell like the end of the file. Arguments: target, size, mode.
 */
const RECEIVE = [
  'set -e',
  'umask 077',
  't=$(mktemp "$1.trundle-XXXXXX")',
  'trap \'rm -f -- "$t"\' EXIT',
  "trap 'exit 1' HUP INT TERM",
  'cat >"$t"',
  's=$(wc -c <"$t")',
  '[ "$s" -eq "$2" ] || { echo "only $s of $2 bytes came" >&2; exit 1; }',
  'chmod "$3" "$t"',
  'if [ -d "$1" ]; then echo "$1: Is a directory" >&2; exit 1; fi',
  'mv -f -- "$t" "$1"',
  'trap - EXIT',
].join('\n');

/** Copies a file from the host into the testbed; the target appears whole or not at all. @throws CopyError */
export async function copyFileDown(exec: CopyExec, request: CopyRequest): Promise<void> {
  const { from, to, login, signal, onBytes } = request;
  const info = await stat(from).catch((error: unknown) => {
    throw asCopyError(error, 'host');
  });
  if (!info.isFile()) {
    throw new CopyError('copy-failed', {
      code: 'EISDIR',
      message: `on the host: ${from} is no file; a tree is copied with a slash at the end of both paths`,
    });
  }
  const mode = (info.mode & 0o777).toString(8);
  const stdin = new PassThrough({ highWaterMark: 1024 * 1024 });
  const remote = exec(['/bin/sh', '-c', `export LC_ALL=C\n${RECEIVE}`, 'sh', to, String(info.size), mode], {
    ...(login === undefined ? {} : { login }),
    ...(signal === undefined ? {} : { signal }),
    stdin,
  });
  remote.stdout.resume();
  const source = createReadStream(from, {
    highWaterMark: 256 * 1024,
    ...(info.size > 0 ? { end: info.size - 1 } : {}),
  });
  const sending = pipeline(source, counter(onBytes), stdin).then(
    () => null,
    (error: unknown) => error,
  );
  const [end, words] = await Promise.all([remote.ended, wordsOf(remote.stderr)]);
  if (!stdin.writableFinished) stdin.destroy();
  const sent = await sending;
  const remoteError = remoteFailure(end, words);
  const premature = (sent as { code?: unknown } | null)?.code === 'ERR_STREAM_PREMATURE_CLOSE';
  const failure = decisive([remoteError, sent === null || premature ? null : asCopyError(sent, 'host')]);
  if (failure !== null) throw failure;
}

/** Copies a file from the testbed to the host; the target appears whole or not at all. @throws CopyError */
export async function copyFileUp(exec: CopyExec, request: CopyRequest): Promise<void> {
  const { from, to, login, signal, onBytes } = request;
  const enough = new AbortController();
  unique += 1;
  const temporary = `${to}.trundle-${process.pid}-${unique}`;
  const script =
    '[ -d "$1" ] && { echo "$1: Is a directory; a tree is copied with a slash at the end of both paths" >&2; exit 1; }; exec cat -- "$1"';
  const remote = exec(['/bin/sh', '-c', `export LC_ALL=C; ${script}`, 'sh', from], {
    ...(login === undefined ? {} : { login }),
    signal: signal === undefined ? enough.signal : AbortSignal.any([signal, enough.signal]),
  });
  const words = wordsOf(remote.stderr);
  try {
    const received = await pipeline(
      remote.stdout,
      counter(onBytes),
      createWriteStream(temporary, { flags: 'wx', mode: 0o600 }),
    ).then(
      () => null,
      (error: unknown) => asCopyError(error, 'host'),
    );
    // Nobody takes what it still has to say.
    if (received !== null) enough.abort(new Error('the copy failed on the host'));
    const failure = decisive([remoteFailure(await remote.ended, await words), received]);
    if (failure !== null) throw failure;
    await chmod(temporary, 0o666 & ~process.umask());
    await rename(temporary, to);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error instanceof CopyError ? error : asCopyError(error, 'host');
  }
}

let unique = 0;

function counter(onBytes: (bytes: number) => void): Transform {
  return new Transform({
    highWaterMark: 1024 * 1024,
    transform(chunk: Buffer, _encoding, done) {
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
}
