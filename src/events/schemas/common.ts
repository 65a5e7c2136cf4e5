import * as z from 'zod';

/** Who saw the fact. `machine` marks facts that a state machine derived from earlier events. */
export const originSchema = z.enum(['backend', 'driver', 'machine', 'runner', 'operator']);

/** What a testbed can do, in autopkgtest's words (virtualisation-server protocol, section "capabilities"). */
export const capabilitySchema = z.enum([
  'root-on-testbed',
  'reboot',
  'revert',
  'revert-full-system',
  'isolation-container',
  'isolation-machine',
]);

/** How a byte stream to a peer came to an end, or why there never was one. */
export const lossSchema = z.enum(['refused', 'unreachable', 'closed', 'reset', 'silent', 'protocol', 'local']);

/** Where in a testbed's life something happened. */
export const phaseSchema = z.enum([
  'plan',
  'provision',
  'boot',
  'ssh-ready',
  'exec',
  'copy',
  'reboot',
  'revert',
  'teardown',
]);

/** The class of a cause; docs/causes.md explains each. Exit codes derive from it. */
export const causeClassSchema = z.enum([
  'provision-failed',
  'setup-failed',
  'boot-failed',
  'testbed-died',
  'revert-failed',
  'reboot-failed',
  'teardown-failed',
  'connection-refused',
  'connection-unreachable',
  'connection-closed',
  'connection-reset',
  'connection-silent',
  'not-an-ssh-server',
  'protocol-error',
  'host-key-mismatch',
  'auth-refused',
  'channel-refused',
  'deadline-expired',
  'host-disk-full',
  'testbed-disk-full',
  'copy-failed',
  'hostile-archive',
  'test-failed',
  'test-wrote-stderr',
  'test-timed-out',
  'test-signalled',
  'bad-package',
  'operator-interrupted',
  'runner-killed',
  'wrong-usage',
  'replay-diverged',
  'internal-error',
]);

/** Why something failed: its class, when, what was being done, and the events (by seq) that prove it. */
export const causeSchema = z.object({
  class: causeClassSchema,
  phase: phaseSchema,
  doing: z.string(),
  detail: z.string().optional(),
  evidence: z.array(z.number().int()),
});

/** What a system call or a program said when it failed. `code` is an errno name or a tool's own word. */
export const failureSchema = z.object({
  code: z.string().nullable(),
  message: z.string(),
  /** A command line or a step that would mend it, where one is known. */
  remedy: z.string().optional(),
});

/** The end of a command, as told by the SSH channel and by what we did to it. */
export const commandResultSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('exited'), status: z.number().int() }),
  z.object({ kind: z.literal('signalled'), signal: z.string() }),
  z.object({ kind: z.literal('timed-out'), after: z.number() }),
  z.object({ kind: z.literal('cancelled') }),
  z.object({ kind: z.literal('lost'), how: lossSchema }),
  z.object({ kind: z.literal('refused'), message: z.string() }),
]);

/** How the driver reaches the SSH server; nothing in it is secret. */
export const endpointSchema = z.object({
  via: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('tcp'), host: z.string(), port: z.number().int() }),
    z.object({ kind: z.literal('unix'), path: z.string() }),
    z.object({ kind: z.literal('process'), argv: z.array(z.string()) }),
    z.object({ kind: z.literal('memory'), name: z.string() }),
  ]),
  /** Whether a real sshd answers there or the SSH server inside our own process. */
  server: z.enum(['sshd', 'stand-in']),
  /** The login name used where a command asks for none. */
  login: z.string(),
  /** A login name other than root for tests that want an ordinary user, where the testbed has one. */
  normalUser: z.string().optional(),
  /** SHA256 fingerprints (`SHA256:...`) of the host keys that may answer. */
  hostKeys: z.array(z.string()),
});

/** Which ways to prove who we are an SSH server was offered; never the proof itself. */
export const authMethodSchema = z.enum(['publickey', 'agent', 'password', 'none']);
