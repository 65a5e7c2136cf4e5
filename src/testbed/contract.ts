import type { Readable, Writable } from 'node:stream';
import type { Observable } from 'rxjs';
import type { ExecSpec, Forward, Messenger } from '../driver/contract.ts';
import type { Capability, Cause, CommandResult, DeadlineTable, Endpoint, TrundleEvent } from '../events/index.ts';

/** How to run a command, and what to do with what it prints. */
export interface ExecOptions extends Omit<ExecSpec, 'argv' | 'line'> {
  /** Login name; the endpoint's own if absent. */
  login?: string;
  /** Milliseconds it may run before its process group is ended; no limit if absent. */
  timeout?: number;
  /** Bytes for its stdin. Absent: stdin is at its end. */
  stdin?: Readable | Uint8Array | string;
  /** Ends what is left of its process group when it ends by itself (default false); a timeout always does. */
  sweep?: boolean;
  /** What `sweep` takes is done by this, where it can, in place of a session of its own. */
  sweepBy?: Messenger;
  /** Milliseconds that what it left may hold its output open; the deadline `drain`, where that is set. */
  drain?: number;
  /** Ends the command's process group; the result is then `cancelled`. */
  signal?: AbortSignal;
  /** Strings that must not appear in the trace. */
  secrets?: readonly string[];
}

/** A command in flight. Its output must be read, or it waits: back-pressure reaches the remote process. */
export interface RunningCommand {
  readonly command: string;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: Promise<CommandEnd>;
  resize(size: { columns: number; rows: number }): void;
}

/** How a command ended. Never rejects for what the command did; see {@link CommandResult}. */
export interface CommandEnd {
  readonly command: string;
  readonly result: CommandResult;
  /**
   * Whether processes of its group outlived it, or held its output open; with `sweep` they were ended. Null where
   * `sweep` could not be carried out, so that nobody can tell.
   */
  readonly leaked: boolean | null;
  /** Present where not the command but the testbed is to blame. */
  readonly cause: Cause | null;
  /** Why it was called off, where it was: what its signal was aborted with, or why its stdin could not be read. */
  readonly reason?: string;
}

/** A command that ended by itself, with all that it printed. */
export interface ExecResult {
  /** 0-255, or null where a signal ended it. */
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly leaked: boolean | null;
}

/** Options of a copy. */
export interface CopyOptions {
  login?: string;
  /**
   * Owners and groups go over too, by number: takes root on the receiving side. Else whoever receives owns it all, and
   * on the host gets no setuid, setgid or sticky bit with it.
   */
  owners?: boolean;
  /** Whoever is in the testbed may read what is copied down, and go into its directories, as after `chmod -R a+rX`; for trees. */
  readable?: boolean;
  signal?: AbortSignal;
  /** Called as bytes go over. */
  onProgress?: (bytes: number) => void;
  /**
   * Called with each device and socket ("special") of a tree that goes up, and with each file and directory that the
   * login may not read: they stay behind, and files that change meanwhile come as they were found. If absent, sockets do
   * so silently, as with tar(1), and anything else fails the whole copy.
   */
  onLeftOut?: (entry: string, why: 'special' | 'unreadable') => void;
}

/** An open testbed: reached over SSH, ready for commands. */
export interface Testbed extends AsyncDisposable {
  readonly id: string;
  readonly endpoint: Endpoint;
  readonly capabilities: readonly Capability[];
  /** Every event of this testbed from now on, in trace order. Hot. */
  readonly events$: Observable<TrundleEvent>;
  /**
   * Runs a program or, given a string, a line for /bin/sh, and collects its output (64 MiB at most).
   * @throws TestbedError where the testbed, not the command, failed, or the command timed out or was cancelled
   * @throws TypeError, as all others here, for what is no command and no such option
   */
  exec(command: readonly string[] | string, options?: ExecOptions): Promise<ExecResult>;
  /** Runs a command with its output as streams. Does not throw for the command's end. */
  start(command: readonly string[] | string, options?: ExecOptions): RunningCommand;
  /** Copies a file or a tree (both paths with a trailing slash) from the host into the testbed. @throws TestbedError */
  copyDown(from: string, to: string, options?: CopyOptions): Promise<void>;
  /** Copies a file or a tree (both paths with a trailing slash) from the testbed to the host. @throws TestbedError */
  copyUp(from: string, to: string, options?: CopyOptions): Promise<void>;
  /** An interactive shell on a pty, wired to the given streams. Resolves at its end. */
  shell(options: ShellOptions): Promise<CommandEnd>;
  /**
   * Forwards TCP connections: `local` from the host into the testbed, `remote` the other way. Ends with `close()` of what
   * it gives, with `signal`, or with the testbed.
   * @throws TestbedError where nobody listens there
   */
  forward(
    direction: 'local' | 'remote',
    listen: { host: string; port: number },
    connect: { host: string; port: number },
    options?: { signal?: AbortSignal },
  ): Promise<Forward>;
  /**
   * Reboots and comes back when a new boot is proven. An abort takes the testbed down. With `line`, nothing is hung up:
   * that line for sh tells something in the testbed to reboot it. @throws TestbedError
   */
  reboot(options?: { signal?: AbortSignal; line?: string }): Promise<void>;
  /** Puts the testbed back to where it was when it was opened. An abort takes it down. @throws TestbedError */
  revert(options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * Ends commands, hangs up, stops and destroys, in that order. `force`: at once. `keep`: it is neither stopped nor
   * destroyed but stays, if its backend can leave it and it is up. Safe to call again.
   */
  close(options?: { force?: boolean; keep?: boolean; reason?: string }): Promise<ClosedTestbed>;
}

/** A resource that still stands, with the command that removes it. */
export interface StandingResource {
  readonly resource: string;
  readonly kind: string;
  readonly name: string;
  readonly release: readonly string[] | null;
}

/** A testbed that was left on purpose. */
export interface KeptTestbed {
  readonly testbed: string;
  /** The command by which a person gets in. */
  readonly enter: readonly string[];
  readonly resources: readonly StandingResource[];
}

/** What is left of a testbed: nothing that runs, unless it was to be kept. */
export interface ClosedTestbed {
  readonly id: string;
  /** Resources that could not be removed, with the commands that would. */
  readonly leftovers: readonly StandingResource[];
  /** Where it stays, because somebody asked for that. */
  readonly kept: KeptTestbed | null;
  /** Why it does not stay although somebody asked for that. */
  readonly whyNotKept: string | null;
  /** Why the testbed failed, where it did. */
  readonly cause: Cause | null;
  /** Directory of the trace; null where none was kept. */
  readonly trace: string | null;
}

/** Options of an interactive shell. */
export interface ShellOptions {
  stdin: Readable;
  stdout: Writable;
  size: { columns: number; rows: number };
  /** New sizes of the terminal as they happen. */
  resizes$?: Observable<{ columns: number; rows: number }>;
  term?: string;
  login?: string;
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** A line for /bin/sh instead of the login shell. */
  line?: string;
  signal?: AbortSignal;
}

/** Options of openTestbed. */
export interface OpenOptions {
  deadlines?: DeadlineTable;
  /** How many SSH connections the testbed may use at once (default 8). */
  maxConnections?: number;
  /** Aborting while it opens tears down what stands; afterwards it closes the testbed. */
  signal?: AbortSignal;
  /** The package that it is opened for, in a run of several. */
  package?: string;
  /** Called once the testbed is gone, before its close() resolves. */
  onClosed?: () => Promise<unknown>;
}

/** The testbed failed, or a command did not come to an end of its own. `cause` tells it all. */
export class TestbedError extends Error {
  override readonly name = 'TestbedError';
  readonly testbed: string;
  override readonly cause: Cause;
  /** The command's end, where a command was under way. */
  readonly result: CommandResult | null;
  constructor(testbed: string, cause: Cause, message: string, result: CommandResult | null = null) {
    super(message);
    this.testbed = testbed;
    this.cause = cause;
    this.result = result;
  }
}
