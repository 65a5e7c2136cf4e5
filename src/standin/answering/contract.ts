import type { Duplex } from 'node:stream';

/** A new connection to an answering server, with what shall become of it. */
export interface AnsweredConnection {
  /** The client's end. */
  readonly stream: Duplex;
  /** Ends it: with an error as the client's system would tell it, or in order. What was said before arrives before. */
  lose(error: Error | null): Promise<void>;
  /** From now on nothing comes of it any more, and nothing is read. */
  silence(): void;
  /** Sends what no SSH server sends. */
  garble(): void;
}

/** How an answering server treats a connection. */
export interface ConnectionPlan {
  /** Shows another host key than the one it tells. */
  readonly otherKey?: boolean;
  /** Whether this login is let in; asked once the key has been proved. */
  admit(login: string): boolean | Promise<boolean>;
  /** Whether a session may be opened now. */
  grant(): boolean;
  /** A command line has come. */
  exec(request: ExecRequest): void;
}

/** A command line on a channel of its own. */
export interface ExecRequest {
  readonly line: string;
  readonly channel: AnsweredChannel;
}

/** A session that is answered by hand. Everything is sent in the order in which it was asked for. */
export interface AnsweredChannel {
  /** The first bytes of its stdin; call it at once. */
  first(bytes: number): Promise<Buffer>;
  /** Resolves when the client has ended its stdin, or the channel is gone. */
  readonly stdinEnded: Promise<void>;
  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): void;
  exit(status: number): void;
  signal(name: string, coreDumped: boolean): void;
  /** Sends nothing more, and closes it. */
  end(): void;
  /** Waits before what comes next. */
  wait(until: Promise<unknown>): void;
  /** Resolves when all that was to be sent so far is sent, or can no longer be. */
  sent(): Promise<void>;
  /** Called when the client asks for a signal to the command (RFC 4254, section 6.9). */
  onSignal: (name: string) => void;
}

/** An SSH server inside this process whose sessions run nothing: whoever made it answers in their place. */
export interface AnsweringServer {
  /** SHA256 fingerprint of its host key. */
  readonly hostKey: string;
  /** The private key that may log in, OpenSSH format. */
  readonly clientKey: string;
  connect(plan: ConnectionPlan): AnsweredConnection;
  /** A byte stream behind which no SSH server is: it says this and nothing else. */
  mute(says: string): AnsweredConnection;
  close(): void;
}
