import type { Duplex } from 'node:stream';

/** A process that runs one session of the stand-in. */
export interface SessionProcess {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** How the stand-in enters the testbed to run one session. */
export interface Entry {
  /** The login shell of a login, or null where the testbed knows no such login. */
  shellOf(login: string): string | null;
  /** Turns a login and an argv inside the testbed into the process to spawn: this machine's own, `chroot DIR ...`. */
  enter(login: string, argv: readonly string[]): SessionProcess;
}

/** An SSH server inside this process, for testbeds without an sshd. */
export interface StandIn {
  /** SHA256 fingerprint of its host key, made anew for each stand-in. */
  readonly hostKey: string;
  /** The private key that may log in, OpenSSH format, made anew for each stand-in. */
  readonly clientKey: string;
  /** A new connection to it, in memory. */
  connect(): Duplex;
  /** Ends all sessions: their process groups are killed; resolves when all are gone. */
  close(): Promise<void>;
}
