import type { Readable, Writable } from 'node:stream';
import type { Account } from '../contract.ts';

/** A process to start. */
export interface LaunchRequest {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Its working directory; the root directory where there is none of this name. */
  readonly cwd: string;
  /** Whom it runs as; null for whoever starts it. */
  readonly account: Account | null;
}

/** How a process ended. */
export interface End {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether this is only how the way into the testbed ended: of the command nothing is known. */
  readonly untold?: boolean;
}

/** A process that was started, the leader of a session and process group of its own. */
export interface Launched {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Rejects with a {@link LauncherLost} where nobody can tell any more. */
  readonly ended: Promise<End>;
}

/** Starts processes for a stand-in. */
export interface Launching {
  /** Whether it starts them where the testbed is, so that they need not enter it. */
  readonly inside: boolean;
  /** @throws what the system says of why it could not be started */
  launch(request: LaunchRequest): Promise<Launched>;
  /** Ends it. Processes that it started are not ended by this. */
  close(): Promise<void>;
}

/** Who started a process has gone before it. */
export class LauncherLost extends Error {
  override readonly name = 'LauncherLost';
}
