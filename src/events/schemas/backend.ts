import * as z from 'zod';
import { RESOURCE_KINDS } from '../resourceKinds.ts';
import { capabilitySchema, causeSchema, endpointSchema, failureSchema } from './common.ts';

const nothing = z.object({});
const failed = z.object({ failure: failureSchema });

/**
 * The provider's side. Requests come from the testbed machine; completions, failures and observations from
 * whoever runs the backend's verbs; `backend.*` are the backend machine's own conclusions.
 */
export const backendSchemas = {
  'startup.requested': nothing,
  /** See `reboot.requested` for `line`. */
  'restart.requested': z.object({ line: z.string().optional() }),
  'reset.requested': nothing,
  /** `keep`: it is to stay after the run, if it is up and the backend can leave it; else it is removed. */
  'removal.requested': z.object({ force: z.boolean(), keep: z.boolean().optional() }),

  'provision.completed': nothing,
  'provision.failed': failed,
  'boot.completed': nothing,
  'boot.failed': failed,
  'endpoint.announced': z.object({ endpoint: endpointSchema, capabilities: z.array(capabilitySchema) }),
  'endpoint.failed': failed,
  'endpoint.withdrawn': z.object({ reason: z.string() }),
  'restart.completed': nothing,
  'restart.failed': failed,
  'reset.completed': nothing,
  'reset.failed': failed,
  'shutdown.completed': nothing,
  'shutdown.failed': failed,
  'destruction.completed': nothing,
  'destruction.failed': failed,
  /** Nothing of ours holds it any more. `enter` is the command by which a person gets in. */
  'keeping.completed': z.object({ enter: z.array(z.string()) }),
  'keeping.failed': failed,

  /** A line the testbed's console printed; the bytes are in the stream `console`. */
  'console.printed': z.object({ line: z.string() }),
  /** `role` main: the testbed lives and dies with this process. */
  'process.spawned': z.object({
    process: z.string(),
    role: z.enum(['main', 'helper']),
    pid: z.number().int(),
    argv: z.array(z.string()),
  }),
  'process.exited': z.object({
    process: z.string(),
    role: z.enum(['main', 'helper']),
    status: z.number().int().nullable(),
    signal: z.string().nullable(),
  }),
  'guest.panicked': z.object({ message: z.string() }),
  'guest.stopped': z.object({ reason: z.string() }),
  /**
   * A recorded testbed has no answer: the program asked, or left out, something else than was recorded. `event` is the
   * seq of `recorded` in the trace that is played; both are null where the recording ends before that.
   */
  'recording.left': z.object({
    asked: z.string(),
    recorded: z.string().nullable(),
    event: z.number().int().nullable(),
  }),
  /** Long work tells how far it is; `total` is null where nobody knows. */
  'progress.reported': z.object({
    task: z.string(),
    done: z.number(),
    total: z.number().nullable(),
    unit: z.string(),
  }),

  'backend.readied': z.object({ endpoint: endpointSchema, capabilities: z.array(capabilitySchema) }),
  'backend.failed': z.object({ cause: causeSchema }),
  /** `leftovers` are ids of resources that nobody could remove. */
  'backend.removed': z.object({ leftovers: z.array(z.string()), cause: causeSchema.nullable() }),
  /** It stays on purpose. `resources` are those that stay with it. */
  'backend.kept': z.object({ enter: z.array(z.string()), resources: z.array(z.string()) }),
};

/** Everything outside our memory that must be gone in the end: written before it is made, struck out after. */
export const resourceSchemas = {
  'resource.acquired': z.object({
    resource: z.string(),
    kind: z.enum(RESOURCE_KINDS),
    /** The path, pid or name by which it is found again. */
    name: z.string(),
    /** Process start time in clock ticks (proc(5), field 22), so that a reused pid is not mistaken. */
    startTime: z.number().optional(),
    /** The command that removes it, for `trundle reap` and for a person; absent where unlink or kill does. */
    release: z.array(z.string()).optional(),
    /**
     * Where others may use the name too: the command that tells, before `release`, whether what bears it is the run's own.
     * Status 0 it is, 1 it is not, so that the run's own is gone; any other, nobody can tell. Its last line says why.
     */
    check: z.array(z.string()).optional(),
  }),
  'resource.released': z.object({ resource: z.string() }),
};
