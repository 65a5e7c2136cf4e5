import * as z from 'zod';
import { causeSchema, commandResultSchema, phaseSchema } from './common.ts';

/** How a test ended, in the words of autopkgtest's summary. */
export const outcomeSchema = z.enum(['pass', 'fail', 'flaky', 'skip', 'badpkg']);

/** A package of a run that has several: its name in the output directory and before its tests' names. */
const packageId = z.string();

/** The consumer's life of a testbed: what was asked for, and what its machine concluded. */
export const testbedSchemas = {
  'testbed.requested': z.object({
    backend: z.string(),
    /** Milliseconds for each deadline by name; names not given use the machines' defaults. */
    deadlines: z.record(z.string(), z.number()),
    /** How many connections the pool may hold. */
    maxConnections: z.number().int(),
  }),
  /** In a run of several packages: it serves this one from now on. */
  'testbed.assigned': z.object({ package: packageId }),
  'revert.requested': z.object({}),
  /** See `removal.requested` for `keep`. */
  'teardown.requested': z.object({ reason: z.string(), force: z.boolean(), keep: z.boolean().optional() }),
  /** `generation` grows with every revert and reboot. */
  'testbed.readied': z.object({ generation: z.number().int() }),
  'testbed.failed': z.object({ cause: causeSchema }),
  'testbed.removed': z.object({ leftovers: z.array(z.string()), cause: causeSchema.nullable() }),
  /** In place of `testbed.removed`: it stays on purpose, with its resources. */
  'testbed.kept': z.object({ enter: z.array(z.string()), resources: z.array(z.string()) }),
};

/** A run of tests, from the runner's plan to the verdict. */
export const runSchemas = {
  /** `tests` false: a session of commands that has no tests to judge. */
  'run.started': z.object({
    tests: z.boolean(),
    trundle: z.string(),
    sources: z.array(z.string()),
    backend: z.array(z.string()),
    /** How often a testbed that failed is replaced for each package; never if absent. */
    retries: z.number().int().optional(),
  }),
  /** Only in a run of several packages; so are the other events of this noun, but for `package.rejected`. */
  'package.started': z.object({ package: packageId, source: z.string() }),
  'package.rejected': z.object({
    message: z.string(),
    file: z.string().nullable(),
    line: z.number().int().nullable(),
    package: packageId.optional(),
  }),
  'package.finished': z.object({ package: packageId }),
  'package.concluded': z.object({ package: packageId, exitCode: z.number().int(), cause: causeSchema.nullable() }),
  'test.planned': z.object({
    /** The test's id; `PACKAGE/NAME` in a run of several packages. */
    test: z.string(),
    package: packageId.optional(),
    restrictions: z.array(z.string()),
    superficial: z.boolean(),
    /** Nobody knows whether the testbed reaches the internet: a test that needs it and fails says nothing. */
    internetUncertain: z.boolean().optional(),
  }),
  /** Not run at all: `skip`, or `badpkg` where its dependencies cannot be had. */
  'test.skipped': z.object({ test: z.string(), outcome: z.enum(['skip', 'badpkg']), reason: z.string() }),
  'test.started': z.object({ test: z.string(), command: z.string() }),
  /** It asked for a reboot, and will be started again after it with this mark. */
  'test.suspended': z.object({ test: z.string(), mark: z.string() }),
  'test.resumed': z.object({ test: z.string(), command: z.string(), mark: z.string() }),
  'test.finished': z.object({
    test: z.string(),
    result: commandResultSchema,
    stderrBytes: z.number(),
    stderrLine: z.string(),
    leaked: z.boolean().nullable(),
    /** The cause the command or a copy of it ended with, where the testbed is to blame. */
    cause: causeSchema.nullable(),
  }),
  'test.judged': z.object({ test: z.string(), outcome: outcomeSchema, reason: z.string() }),
  'step.failed': z.object({ doing: z.string(), cause: causeSchema, package: packageId.optional() }),
  /** The testbed is gone in the middle of things, and may be to blame: whoever used it asks for another. */
  'retry.requested': z.object({ package: packageId.optional() }),
  /** Its failure no longer counts. `attempt` is the number of this retry, from 1. */
  'retry.granted': z.object({
    package: packageId.optional(),
    attempt: z.number().int(),
    of: z.number().int(),
    cause: causeSchema,
  }),
  'retry.denied': z.object({ package: packageId.optional(), reason: z.string() }),
  'run.finished': z.object({}),
  'run.concluded': z.object({ exitCode: z.number().int(), cause: causeSchema.nullable() }),
};

/** What happens around the machines. */
export const surroundingSchemas = {
  /** `subject` names the machine that armed it, as in `connection:tb1.c1`. `after` is in milliseconds. */
  'deadline.expired': z.object({ deadline: z.string(), subject: z.string(), after: z.number() }),
  /** `phase` and `doing` tell where the run was; older traces do not. */
  'operator.signalled': z.object({
    signal: z.string(),
    count: z.number().int(),
    phase: phaseSchema.optional(),
    doing: z.string().optional(),
  }),
  /** A machine met an event that its state does not expect; `event` is that event's seq. */
  'event.unexpected': z.object({
    machine: z.string(),
    state: z.string(),
    event: z.number().int(),
    eventType: z.string(),
  }),
};
