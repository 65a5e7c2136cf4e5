import type { Readable } from 'node:stream';
import type { Cause, CauseClass, CommandResult, Failure } from '../../events/index.ts';

/** How a copy runs its half in the testbed: testbed rooms give it, so that commands go through the machines. */
export type CopyExec = (
  command: readonly string[] | string,
  options: { login?: string; stdin?: Readable; signal?: AbortSignal },
) => { stdout: Readable; stderr: Readable; ended: Promise<{ result: CommandResult; cause: Cause | null }> };

/** What to copy. Both paths end in a slash for a tree, neither for a file. */
export interface CopyRequest {
  from: string;
  to: string;
  login?: string;
  /** Owners and groups go over too, by number: takes root on the receiving side. */
  owners?: boolean;
  /** All may read what goes down in a tree, as after `chmod -R a+rX`. */
  readable?: boolean;
  signal?: AbortSignal;
  /**
   * Called with each device and socket ("special") that stays behind when a tree goes up, and with what the login may not
   * read. Without it devices are refused, and so is what cannot be read.
   */
  onLeftOut?: (entry: string, why: 'special' | 'unreadable') => void;
  /** Called with the number of bytes that went over since the last call. */
  onBytes: (bytes: number) => void;
}

/** A copy that failed: what class of cause it is, and what was said. `cause` where the connection is to blame. */
export class CopyError extends Error {
  override readonly name = 'CopyError';
  readonly causeClass: CauseClass;
  readonly failure: Failure;
  /** The cause of the remote command, where it did not come to an end of its own. */
  readonly remote: Cause | null;
  constructor(causeClass: CauseClass, failure: Failure, remote: Cause | null = null) {
    super(failure.message);
    this.causeClass = causeClass;
    this.failure = failure;
    this.remote = remote;
  }
}
