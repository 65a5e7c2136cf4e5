import type { Readable } from 'node:stream';
import type { Cause, CommandResult } from '../../events/index.ts';
import { CopyError } from './exec.ts';
import { complaint } from './localTar.ts';

/** Characters of a remote program's complaints that are kept. */
export const WORDS = 4000;

/** Reads a stream of complaints to its end, keeping the last of them. */
export async function wordsOf(stream: Readable): Promise<string> {
  let words = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) words = (words + chunk.toString('utf8')).slice(-WORDS);
  return words;
}

/** Why the remote half of a copy failed, or null where it did not. Pure. */
export function remoteFailure(end: { result: CommandResult; cause: Cause | null }, words: string): CopyError | null {
  const { result, cause } = end;
  switch (result.kind) {
    case 'exited':
      return result.status === 0 ? null : complaint('testbed', words, `exit status ${result.status}`);
    case 'signalled':
      return complaint('testbed', words, `signal ${result.signal}`);
    default: {
      const message =
        cause?.detail ?? (result.kind === 'cancelled' ? 'the copy was cancelled' : `the copy was ${result.kind}`);
      return new CopyError(cause?.class ?? 'copy-failed', { code: null, message }, cause);
    }
  }
}

/**
 * Whether the remote half was called off because the host's had failed, not by whoever asked for the copy: then it is
 * the host's that tells why. Pure.
 */
export function wasCutOff(result: CommandResult, enough: AbortSignal, asked: AbortSignal | undefined): boolean {
  return result.kind === 'cancelled' && enough.aborted && asked?.aborted !== true;
}

/**
 * Which of two halves' failures tells the reason: a lost connection before all, then a full disk, then whoever
 * complained in words rather than of the other half's silence. Pure.
 */
export function decisive(failures: readonly (CopyError | null | undefined)[]): CopyError | null {
  const all = failures.filter((failure): failure is CopyError => failure !== null && failure !== undefined);
  return (
    all.find((failure) => failure.causeClass === 'hostile-archive') ??
    all.find((failure) => failure.remote !== null) ??
    all.find((failure) => failure.causeClass.endsWith('disk-full')) ??
    all.find((failure) => failure.failure.code !== null) ??
    all[0] ??
    null
  );
}

/** Any error as a CopyError. Pure. */
export function asCopyError(error: unknown, side: 'host' | 'testbed'): CopyError {
  if (error instanceof CopyError) return error;
  const { code } = error as { code?: unknown };
  const message = error instanceof Error ? error.message : String(error);
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const causeClass = full ? (side === 'host' ? 'host-disk-full' : 'testbed-disk-full') : 'copy-failed';
  return new CopyError(causeClass, {
    code: typeof code === 'string' ? code : null,
    message: `on the ${side}: ${message}`,
  });
}
