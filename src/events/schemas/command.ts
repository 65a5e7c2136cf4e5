import * as z from 'zod';
import { causeSchema, commandResultSchema, failureSchema, lossSchema } from './common.ts';

const command = z.string();
const connection = z.string();

/** One command on one SSH channel (RFC 4254, section 6). */
export const commandSchemas = {
  'command.requested': z.object({
    command,
    /** What a person would type; secrets already taken out. */
    line: z.string(),
    login: z.string(),
    /** Milliseconds it may run; null for no limit. */
    timeout: z.number().nullable(),
    pty: z.boolean(),
    /** Whether what is left of its process group dies with it. */
    sweep: z.boolean(),
    /** Milliseconds for its output's end once it has ended, where the deadline `drain` is not set; absent for the usual. */
    drain: z.number().optional(),
    /** The copy that it carries out, where it does. */
    copy: z.string().optional(),
  }),
  'command.assigned': z.object({ command, connection }),
  /** The testbed cannot or will not run it; `cause` where something failed. */
  'command.abandoned': z.object({ command, reason: z.string(), cause: causeSchema.nullable() }),
  'cancel.requested': z.object({ command, reason: z.string() }),

  'channel.opened': z.object({ command, connection }),
  /** `limit` true: the server holds as many sessions as it will (MaxSessions); another connection may do. */
  'channel.refused': z.object({ command, connection, limit: z.boolean(), message: z.string() }),
  /** `pid` is the leader of the remote process group; null where the server gave no way to learn it. */
  'command.started': z.object({ command, pid: z.number().int().nullable() }),
  /** Bytes arrived; they stand in the command's stream at `offset`. */
  'command.output': z.object({ command, stream: z.enum(['stdout', 'stderr']), offset: z.number(), bytes: z.number() }),
  'command.exited': z.object({ command, status: z.number().int() }),
  'command.signalled': z.object({ command, signal: z.string(), coreDumped: z.boolean() }),
  'command.lost': z.object({ command, how: lossSchema, message: z.string() }),
  /** Both output streams ended and the channel is closed: nothing more will come. */
  'command.closed': z.object({ command }),
  /**
   * A signal was sent to the command's process group; `survivors` counts what was still there to get it. `beside`: by
   * somebody who needed no session for it.
   */
  'signal.delivered': z.object({
    command,
    signal: z.string(),
    survivors: z.number().int().nullable(),
    beside: z.literal(true).optional(),
  }),
  'signal.failed': z.object({ command, signal: z.string(), failure: failureSchema }),

  'command.concluded': z.object({
    command,
    result: commandResultSchema,
    /** Processes of its group were still there after it had ended; null where nobody can tell. */
    leaked: z.boolean().nullable(),
    /** Present where the command is not to blame. */
    cause: causeSchema.nullable(),
  }),
  /** The recorder stopped keeping a stream's bytes at `limit`; the events go on counting. */
  'stream.truncated': z.object({ stream: z.string(), limit: z.number() }),
};

/** Copies of files and trees between the host and the testbed. */
export const copySchemas = {
  'copy.started': z.object({
    copy: z.string(),
    direction: z.enum(['down', 'up']),
    source: z.string(),
    target: z.string(),
  }),
  'copy.progressed': z.object({ copy: z.string(), bytes: z.number(), total: z.number().nullable() }),
  'copy.completed': z.object({ copy: z.string(), bytes: z.number(), leftOut: z.array(z.string()).optional() }),
  'copy.failed': z.object({ copy: z.string(), cause: causeSchema }),
};
