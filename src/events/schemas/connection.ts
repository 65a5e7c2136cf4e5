import * as z from 'zod';
import { authMethodSchema, causeSchema, failureSchema, lossSchema } from './common.ts';

const connection = z.string();
const bare = z.object({ connection });

/** One SSH connection, step by step (RFC 4253 transport, RFC 4252 authentication). */
export const connectionSchemas = {
  'connection.requested': z.object({ connection, login: z.string() }),
  'hangup.requested': bare,

  'dial.started': z.object({ connection, attempt: z.number().int(), address: z.string() }),
  /** The attempt ended before the session was ours; `stage` tells how far it came. */
  'dial.failed': z.object({
    connection,
    how: lossSchema,
    stage: z.enum(['connect', 'banner', 'exchange', 'auth']),
    failure: failureSchema,
  }),
  'socket.connected': bare,
  'banner.received': z.object({ connection, software: z.string() }),
  /** The peer speaks, but not SSH; `sample` is the start of what it said, printable characters only. */
  'banner.rejected': z.object({ connection, sample: z.string() }),
  'hostkey.seen': z.object({ connection, algorithm: z.string(), fingerprint: z.string() }),
  'hostkey.verified': z.object({ connection, fingerprint: z.string() }),
  'hostkey.mismatched': z.object({ connection, seen: z.string(), expected: z.array(z.string()) }),
  'handshake.completed': z.object({
    connection,
    kex: z.string(),
    hostKeyAlgorithm: z.string(),
    cipher: z.string(),
  }),
  'auth.accepted': z.object({ connection, login: z.string(), method: authMethodSchema }),
  'auth.refused': z.object({ connection, login: z.string(), tried: z.array(authMethodSchema), message: z.string() }),
  'keepalive.missed': z.object({ connection, missed: z.number().int(), limit: z.number().int() }),
  /** A working connection ended without our asking. */
  'connection.lost': z.object({ connection, how: lossSchema, failure: failureSchema }),
  /** A connection ended because we hung up. */
  'connection.closed': bare,

  'connection.established': z.object({ connection, login: z.string() }),
  'connection.failed': z.object({ connection, cause: causeSchema }),
  /** The connection ended as we wanted it to, or was given up before it stood. */
  'connection.retired': bare,

  'forward.opened': z.object({
    forward: z.string(),
    connection,
    direction: z.enum(['local', 'remote']),
    source: z.string(),
    target: z.string(),
  }),
  'forward.failed': z.object({ forward: z.string(), connection, failure: failureSchema }),
  'forward.closed': z.object({ forward: z.string(), connection }),
};

/** Reboots. A boot's identity is the kernel's boot_id and PID 1's start time: containers share the former. */
export const rebootSchemas = {
  /** With `line`, the guest is told to reboot by that line for sh, and not by a reboot command: a test does it itself. */
  'reboot.requested': z.object({ how: z.enum(['guest', 'backend']), line: z.string().optional() }),
  'boot.identified': z.object({ connection, identity: z.string() }),
  'boot.unidentified': z.object({ connection, failure: failureSchema }),
  /** The guest was told to reboot; what its reboot command answers means nothing. */
  'reboot.asked': z.object({ connection }),
  'reboot.proven': z.object({ before: z.string(), after: z.string() }),
  'reboot.failed': z.object({ cause: causeSchema }),
};
