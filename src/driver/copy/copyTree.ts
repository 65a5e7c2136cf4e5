import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeDirectory, startProgram } from '../../host/index.ts';
import { CopyError, type CopyExec, type CopyRequest } from './exec.ts';
import { isIncomplete, omissionsIn } from './leftOut.ts';
import { startTar } from './localTar.ts';
import { mergeTree } from './mergeTree.ts';
import { asCopyError, decisive, remoteFailure, wasCutOff, wordsOf } from './outcome.ts';
import { packSmallTree } from './smallTree.ts';
import { HostileArchiveError, TarGuard } from './TarGuard.ts';

/** Modes, times to the second, links, holes and names go over; owners only where they are asked for. */
const PACK = ['--create', '--file=-', '--format=gnu', '--sparse', '--numeric-owner'];
const UNPACK = ['-x', '-f', '-', '--numeric-owner'];

/** Copies a directory's contents from the host into a directory of the testbed, which is made if absent. @throws CopyError */
export async function copyTreeDown(exec: CopyExec, request: CopyRequest): Promise<void> {
  const { from, to, signal, readable = false } = request;
  const stdin = counter(request);
  const script = `export LC_ALL=C; mkdir -p -- "$1" && exec tar ${UNPACK.join(' ')} -p ${ownership(request)} -C "$1"`;
  // The half in the testbed first: while a program is started here, that goes on.
  const remote = exec(['/bin/sh', '-c', script, 'sh', to], { ...withOptions(request), stdin });
  remote.stdout.resume();
  let local: Archive;
  try {
    local = archiveOf(from, readable, signal);
  } catch (error) {
    // Without its stdin the half in the testbed is called off.
    stdin.destroy(error as Error);
    remote.stderr.resume();
    await remote.ended;
    throw error;
  }
  const sending = pipeline(local.stream, stdin).catch((error: unknown) => error);
  const [end, words] = await Promise.all([remote.ended, wordsOf(remote.stderr)]);
  // Nobody reads any more: a local tar that still writes is done.
  if (!stdin.writableFinished) stdin.destroy();
  await sending;
  const localError = await local.ended.then(
    () => null,
    (error: unknown) => asCopyError(error, 'host'),
  );
  const remoteError = remoteFailure(end, words);
  // A local tar that was cut off by the other half's end says nothing of interest.
  const failure = decisive(remoteError === null ? [localError] : [remoteError, saysMore(localError)]);
  if (failure !== null) throw failure;
}

/** An archive as it comes. */
interface Archive {
  readonly stream: Readable;
  /** Rejects with what whoever makes it complained of. */
  readonly ended: Promise<void>;
}

/** @throws CopyError where no file descriptor is left */
function archiveOf(directory: string, readable: boolean, signal: AbortSignal | undefined): Archive {
  const small = packSmallTree(directory, readable);
  if (small !== null) return { stream: Readable.from([small]), ended: Promise.resolve() };
  const { child, ended } = startTar([...PACK, ...(readable ? ['--mode=a+rX'] : []), '-C', directory, '.'], signal);
  child.stdin.end();
  return { stream: child.stdout, ended };
}

/**
 * Copies a directory's contents from the testbed into a directory of the host, which is made if absent. The archive is
 * watched as it comes, unpacked in a new directory in or beside the target, and then merged into it without following any
 * symbolic link: nothing the testbed sends can write elsewhere. @throws CopyError
 */
export async function copyTreeUp(exec: CopyExec, request: CopyRequest): Promise<void> {
  const { from, to, signal, onLeftOut } = request;
  const enough = new AbortController();
  const target = to.replace(/\/+$/, '') || '/';
  let staging: string;
  try {
    staging = await mkdtemp(join(await sameFileSystem(target), '.trundle-copy-'));
  } catch (error) {
    throw asCopyError(error, 'host');
  }
  try {
    const local = startTar([...UNPACK, ...asReceiver(request), '--delay-directory-restore', '-C', staging], signal);
    local.child.stdout.resume();
    const remote = exec(['/bin/sh', '-c', `LC_ALL=C exec tar ${PACK.join(' ')} -C "$1" .`, 'sh', from], {
      ...withOptions(request),
      signal: signal === undefined ? enough.signal : AbortSignal.any([signal, enough.signal]),
    });
    const words = wordsOf(remote.stderr);
    const receiving = await pipeline(
      remote.stdout,
      counter(request),
      new TarGuard(onLeftOut === undefined ? null : (entry) => onLeftOut(entry, 'special')),
      local.child.stdin,
    ).then(
      () => null,
      (error: unknown) => error,
    );
    if (receiving instanceof HostileArchiveError) {
      enough.abort(new Error('the archive is hostile'));
      local.child.kill('SIGKILL');
      // Neither is still at it when that is told: one writes to what is removed next, the other may outlive the testbed.
      await Promise.allSettled([local.ended, remote.ended, words]);
      throw new CopyError('hostile-archive', { code: null, message: receiving.message });
    }
    const localError = await local.ended.then(
      () => null,
      (error: unknown) => asCopyError(error, 'host'),
    );
    // Nobody takes what it still has to say. A local tar that ended well has only not read the padding after the archive.
    if (receiving !== null && localError !== null) enough.abort(new Error('the copy failed on the host'));
    const said = await words;
    const end = await remote.ended;
    const omissions = omissionsIn(said);
    const excused =
      wasCutOff(end.result, enough.signal, signal) || (onLeftOut !== undefined && isIncomplete(end.result, omissions));
    const remoteError = excused ? null : remoteFailure(end, said);
    const failure = decisive([remoteError?.remote ? remoteError : null, saysMore(localError), remoteError, localError]);
    if (failure !== null) throw failure;
    for (const name of omissions.sockets) onLeftOut?.(name, 'special');
    for (const name of omissions.unreadable) onLeftOut?.(name, 'unreadable');
    await mergeTree(staging, target, request.owners === true).catch((error: unknown) => {
      throw asCopyError(error, 'host');
    });
  } catch (error) {
    // Why the copy failed is what matters, whatever else goes wrong.
    await remove(staging).catch(() => {});
    throw error;
  }
  await remove(staging);
}

/**
 * Also where paths in it are longer than the kernel takes in one: then rm(1) can, which goes from directory to directory.
 * What came may have directories that their owner may not write; their files may be links to what was moved, and stay so.
 */
async function remove(directory: string): Promise<void> {
  const failure = await rm(directory, { recursive: true, force: true }).catch((error: unknown) => error);
  if (failure === undefined) return;
  const script = 'find "$1" -type d ! -perm -700 -exec chmod u+rwx {} \\;; exec rm -rf -- "$1"';
  const program = startProgram('/bin/sh', ['-c', script, 'sh', directory], { stdio: 'ignore' });
  const removed = await once(program, 'close').then(
    ([status]) => status === 0,
    () => false,
  );
  if (!removed) throw asCopyError(failure, 'host');
}

/** A directory from which things can be moved into the target: the target itself may be where something is mounted. */
async function sameFileSystem(target: string): Promise<string> {
  if ((await stat(target).catch(() => null))?.isDirectory()) return target;
  makeDirectory(dirname(target));
  return dirname(target);
}

function ownership({ owners }: CopyRequest): string {
  return owners === true ? '--same-owner' : '--no-same-owner';
}

/**
 * Who receives becomes the owner of what comes: setuid, setgid and sticky bits that were another's stay behind. Without
 * -p tar leaves them out.
 */
function asReceiver(request: CopyRequest): string[] {
  return request.owners === true ? ['-p', ownership(request)] : ['--no-same-permissions', ownership(request)];
}

function saysMore(error: CopyError | null): CopyError | null {
  return error !== null && (error.failure.code !== null || error.causeClass !== 'copy-failed') ? error : null;
}

function withOptions({ login, signal }: CopyRequest) {
  return { ...(login === undefined ? {} : { login }), ...(signal === undefined ? {} : { signal }) };
}

function counter({ onBytes }: CopyRequest): Transform {
  return new Transform({
    highWaterMark: 1024 * 1024,
    transform(chunk: Buffer, _encoding, done) {
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
}
