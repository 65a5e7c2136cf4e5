import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, chown, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CopyError, type CopyExec, type CopyRequest } from './exec.ts';
import { asCopyError, decisive, remoteFailure, wasCutOff, wordsOf } from './outcome.ts';

/** Bytes that may wait at each step between the file and the channel. */
const BUFFER = 1024 * 1024;

/**
 * Writes stdin to a temporary file beside the target and renames it once it holds all the bytes: a connection that
 * breaks looks to the remote shell like the end of the file. Arguments: target, size, mode, time, owner or nothing, the target's directory.
 */
const RECEIVE = [
  'set -e',
  'umask 077; t=; exec 3<&0',
  'if [ -d "$1" ]; then echo "$1: Is a directory" >&2; exit 1; fi',
  `trap '[ -z "$!" ] || kill "$!" 2>/dev/null || :; [ -z "$t" ] || rm -f -- "$t"' EXIT`,
  "trap 'exit 1' HUP INT TERM",
  // A signal between the file and its name would leave it: it is heeded once the name is known.
  't=$(trap "" HUP INT TERM; exec mktemp -- "$6/.trundle-XXXXXX")',
  // And one that comes before there is a cat would wait for its end: a shell heeds signals while it waits for a job.
  'exec 4>"$t"; cat <&3 >&4 & wait "$!"; exec 4>&-',
  'trap \'rm -f -- "$t"\' EXIT',
  's=$(wc -c <"$t")',
  '[ "$s" -eq "$2" ] || { echo "only $s of $2 bytes came" >&2; exit 1; }',
  '[ -z "$5" ] || chown -- "$5" "$t"',
  'chmod -- "$3" "$t"',
  'touch -d "@$4" -- "$t"',
  'if [ -d "$1" ]; then echo "$1: Is a directory" >&2; exit 1; fi',
  'mv -f -- "$t" "$1"',
  'trap - EXIT',
].join('\n');

/** Prints a file's mode, time and owner in a line, then the file. Argument: the file. */
const SEND = [
  'if [ -d "$1" ]; then echo "$1: Is a directory; a tree is copied with a slash at the end of both paths" >&2; exit 1; fi',
  'if [ -e "$1" ] && [ ! -f "$1" ]; then echo "$1: no regular file" >&2; exit 1; fi',
  'i=$(stat -L -c "%a %Y %u %g" -- "$1") || exit 1',
  'echo "$i"',
  'exec cat -- "$1"',
].join('\n');

/** Copies a file from the host into the testbed; the target appears whole or not at all, with mode and time. @throws CopyError */
export async function copyFileDown(exec: CopyExec, request: CopyRequest): Promise<void> {
  const { from, to, login, owners, signal, onBytes } = request;
  const info = await stat(from).catch((error: unknown) => {
    throw asCopyError(error, 'host');
  });
  if (!info.isFile()) {
    throw new CopyError('copy-failed', {
      code: 'EISDIR',
      message: `on the host: ${from} is no file; a tree is copied with a slash at the end of both paths`,
    });
  }
  const facts = [String(info.size), (info.mode & 0o7777).toString(8), String(Math.floor(info.mtimeMs / 1000))];
  const owner = owners === true ? `${info.uid}:${info.gid}` : '';
  const stdin = counter(onBytes);
  const remote = exec(['/bin/sh', '-c', `export LC_ALL=C\n${RECEIVE}`, 'sh', to, ...facts, owner, dirname(to)], {
    ...(login === undefined ? {} : { login }),
    ...(signal === undefined ? {} : { signal }),
    stdin,
  });
  remote.stdout.resume();
  const source = createReadStream(from, {
    highWaterMark: 256 * 1024,
    ...(info.size > 0 ? { end: info.size - 1 } : {}),
  });
  const sending = pipeline(source, stdin).then(
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

/** Copies a file from the testbed to the host; the target appears whole or not at all, with mode and time. @throws CopyError */
export async function copyFileUp(exec: CopyExec, request: CopyRequest): Promise<void> {
  const { from, to, login, owners, signal, onBytes } = request;
  const enough = new AbortController();
  unique += 1;
  const temporary = join(dirname(to), `.trundle-${process.pid}-${unique}`);
  const remote = exec(['/bin/sh', '-c', `export LC_ALL=C\n${SEND}`, 'sh', from], {
    ...(login === undefined ? {} : { login }),
    signal: signal === undefined ? enough.signal : AbortSignal.any([signal, enough.signal]),
  });
  const facts = new FirstLine(onBytes);
  const words = wordsOf(remote.stderr);
  try {
    const received = await pipeline(
      remote.stdout,
      facts,
      // What comes while a write is under way goes to the disk with the next: packets of SSH are small.
      createWriteStream(temporary, { flags: 'wx', mode: 0o600, highWaterMark: BUFFER }),
    ).then(
      () => null,
      (error: unknown) => asCopyError(error, 'host'),
    );
    // Nobody takes what it still has to say.
    if (received !== null) enough.abort(new Error('the copy failed on the host'));
    const end = await remote.ended;
    const remoteError = wasCutOff(end.result, enough.signal, signal) ? null : remoteFailure(end, await words);
    const failure = decisive([remoteError, received]);
    if (failure !== null) throw failure;
    const [mode = '', time = '', uid = '', gid = ''] = facts.line.split(' ');
    if (owners === true) await chown(temporary, Number(uid), Number(gid));
    // A setuid bit is for the owner that it was given to.
    await chmod(temporary, Number.parseInt(mode, 8) & (owners === true ? 0o7777 : 0o777));
    await utimes(temporary, Number(time), Number(time));
    await rename(temporary, to);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error instanceof CopyError ? error : asCopyError(error, 'host');
  }
}

let unique = 0;

/** Keeps a stream's first line to itself, and counts the rest as it passes. */
class FirstLine extends Transform {
  line = '';
  readonly #onBytes: (bytes: number) => void;
  #complete = false;

  constructor(onBytes: (bytes: number) => void) {
    super({ highWaterMark: BUFFER });
    this.#onBytes = onBytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#complete) return this.#pass(chunk, done);
    const end = chunk.indexOf(0x0a);
    this.line += chunk.subarray(0, end === -1 ? chunk.length : end).toString('latin1');
    this.#complete = end !== -1;
    if (this.line.length > 100) return done(new CopyError('copy-failed', { code: null, message: NO_FACTS }));
    if (this.#complete) this.#pass(chunk.subarray(end + 1), done);
    else done();
  }

  #pass(chunk: Buffer, done: TransformCallback): void {
    this.#onBytes(chunk.length);
    done(null, chunk);
  }
}

const NO_FACTS = 'on the testbed: the file did not come as it should: its first line does not tell mode and time';

function counter(onBytes: (bytes: number) => void): Transform {
  return new Transform({
    highWaterMark: BUFFER,
    transform(chunk: Buffer, _encoding, done) {
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
}
