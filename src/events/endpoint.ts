import type { Duplex, Readable, Writable } from 'node:stream';
import type * as z from 'zod';
import type { authMethodSchema, capabilitySchema, commandResultSchema, endpointSchema } from './schemas/common.ts';

/** What a testbed can do, in autopkgtest's words. */
export type Capability = z.infer<typeof capabilitySchema>;
/** The end of a command. */
export type CommandResult = z.infer<typeof commandResultSchema>;
/** The public part of an endpoint: what goes into the trace. */
export type Endpoint = z.infer<typeof endpointSchema>;
/** A way to prove who we are. */
export type AuthMethod = z.infer<typeof authMethodSchema>;

/** How to log in; never written anywhere. */
export interface Credentials {
  /** Private keys in OpenSSH or PEM format, tried in order. */
  privateKeys?: readonly string[];
  /** Passphrase of encrypted private keys. */
  passphrase?: string;
  /** Path of an agent's socket (SSH_AUTH_SOCK). */
  agent?: string;
  password?: string;
}

/** An endpoint with the secrets and the live stream that the driver needs to use it. */
export interface ReachableEndpoint extends Endpoint {
  credentials: Credentials;
  /** Makes a new byte stream to the server; needed for kind `memory` only. */
  connect?: () => Duplex | Promise<Duplex>;
  /** Hands over a process for the argv of kind `process` that runs already; null, or absent, where one must be started. */
  running?: () => RunningServer | null;
  /** The path of a user's login shell, where that is known before anybody has logged in; else the first command tells it. */
  loginShell?: (login: string) => string | null;
}

/** An SSH server that waits at the other end of its stdin and stdout. */
export interface RunningServer {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves once it has ended; what it said before may still have to be read. */
  readonly exited: Promise<void>;
  /** To be called once it has been hung up on: sees to it that it ends, which it may do by itself. */
  farewell(): void;
  /** What it has said on stderr so far. */
  readonly words: string;
}
