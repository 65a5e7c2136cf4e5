import type { Duplex } from 'node:stream';

/** A process that runs one session of the stand-in. */
export interface SessionProcess {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** What a teller inside the testbed says to stderr when the command has ended; absent where the process tells it. */
  readonly word?: string;
  /** Whether the process's own end is not to be believed by itself: a daemon stands between. */
  readonly daemon?: boolean;
}

/** An account of a testbed (passwd(5)). */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** All its groups by number, where they are known. */
  readonly groups?: readonly number[];
  readonly home: string;
  readonly shell: string;
}

/** A terminal's size and kind, as the client asks for it (RFC 4254, section 6.2). */
export interface PtyRequest {
  readonly columns: number;
  readonly rows: number;
  readonly term: string;
}

/** Where sessions run: whoever goes there need not enter it again for each of them. */
export interface Place {
  /** Files of namespaces, as in `/proc/PID/fd/N`, in the order in which they are to be joined. */
  readonly namespaces: readonly string[];
  /** A root directory; null for the one that comes with the namespaces. */
  readonly root: string | null;
}

/** How the stand-in enters the testbed to run one session. */
export interface Entry {
  /** Where sessions run, if that can be joined; else each is run by {@link enter}. */
  readonly place?: Place;
  /** The account of a login, asked for at each login; null where the testbed lets nobody in by that name. */
  find(login: string): Account | null | Promise<Account | null>;
  /**
   * Turns an account and an argv inside the testbed into the process to spawn: this machine's own, `chroot DIR ...`.
   * @param pty the terminal that is its stdin, stdout and stderr; null where these are pipes
   */
  enter(account: Account, argv: readonly string[], pty: PtyRequest | null): SessionProcess;
  /**
   * Whether the testbed still stands; asked when a session was killed, since a testbed that dies takes its sessions
   * with it, and then no command is to blame. Absent: it always does.
   */
  stands?(): Promise<boolean>;
}

/** An SSH server inside this process, for testbeds without an sshd. */
export interface StandIn {
  /** SHA256 fingerprint of its host key, made anew for each stand-in. */
  readonly hostKey: string;
  /** The private key that may log in, OpenSSH format, made anew for each stand-in. */
  readonly clientKey: string;
  /** A new connection to it, in memory. */
  connect(): Duplex;
  /**
   * Ends all sessions: their process groups are killed; resolves when all are gone.
   * @param grace milliseconds that they have after SIGHUP before that, 0 by default
   */
  close(grace?: number): Promise<void>;
}
