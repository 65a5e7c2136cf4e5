import type { Duplex } from 'node:stream';

/** How the stand-in enters the testbed to run one command. Null: this machine itself. */
export interface Entry {
  /**
   * Turns a login name and the shell's argv into the process to spawn: `chroot DIR su ...`, `podman exec ...`.
   * Throws for a login that does not exist.
   */
  enter(login: string, argv: readonly string[]): { argv: readonly string[]; env: Readonly<Record<string, string>>; cwd: string; uid?: number; gid?: number };
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
