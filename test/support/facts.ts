import type {
  Cause,
  CauseClass,
  Deadline,
  Endpoint,
  EventData,
  EventDraft,
  EventType,
  Failure,
  Origin,
  TrundleEvent,
} from '../../src/events/index.ts';

/** A cause of a class, for events that carry one. */
export function cause(causeClass: CauseClass, evidence: number[] = []): Cause {
  return { class: causeClass, phase: 'exec', doing: 'testing', evidence };
}

/** What a failed step says. */
export const failure: Failure = { code: 'EFAULT', message: 'it broke' };

/** An endpoint as a backend announces it. */
export const endpoint: Endpoint = {
  via: { kind: 'tcp', host: '127.0.0.1', port: 22 },
  server: 'sshd',
  login: 'root',
  hostKeys: ['SHA256:good'],
};

const failed = { failure };
const c1 = { connection: 'c1' };
const x1 = { command: 'x1' };
const forward = { forward: 'f1', connection: 'c1' };

/** Data for every event type: of testbed tb1, connection c1, command x1, test t1. */
const USUAL: { [K in EventType]: EventData<K> } = {
  'testbed.requested': { backend: 'null', deadlines: {}, maxConnections: 2 },
  'testbed.assigned': { package: 'p1' },
  'package.started': { package: 'p1', source: './p1' },
  'package.finished': { package: 'p1' },
  'package.concluded': { package: 'p1', exitCode: 0, cause: null },
  'retry.requested': {},
  'retry.granted': { attempt: 1, of: 1, cause: cause('testbed-died') },
  'retry.denied': { reason: 'no' },
  'revert.requested': {},
  'teardown.requested': { reason: 'done', force: false },
  'testbed.readied': { generation: 0 },
  'testbed.failed': { cause: cause('testbed-died') },
  'testbed.removed': { leftovers: [], cause: null },
  'testbed.kept': { enter: ['enter', 'tb1'], resources: [] },

  'startup.requested': {},
  'restart.requested': {},
  'reset.requested': {},
  'removal.requested': { force: false },
  'provision.completed': {},
  'provision.failed': failed,
  'boot.completed': {},
  'boot.failed': failed,
  'endpoint.announced': { endpoint, capabilities: ['root-on-testbed'] },
  'endpoint.failed': failed,
  'endpoint.withdrawn': { reason: 'the network went' },
  'restart.completed': {},
  'restart.failed': failed,
  'reset.completed': {},
  'reset.failed': failed,
  'shutdown.completed': {},
  'shutdown.failed': failed,
  'destruction.completed': {},
  'destruction.failed': failed,
  'keeping.completed': { enter: ['enter', 'tb1'] },
  'keeping.failed': failed,
  'console.printed': { line: 'hello' },
  'process.spawned': { process: 'p1', role: 'main', pid: 7, argv: ['vm'] },
  'process.exited': { process: 'p1', role: 'main', status: 1, signal: null },
  'recording.left': { asked: 'run true', recorded: 'run false', event: 7 },
  'guest.panicked': { message: 'not syncing' },
  'guest.stopped': { reason: 'shutdown' },
  'progress.reported': { task: 'unpacking', done: 1, total: null, unit: 'files' },
  'backend.readied': { endpoint, capabilities: ['root-on-testbed'] },
  'backend.failed': { cause: cause('boot-failed') },
  'backend.removed': { leftovers: [], cause: null },
  'backend.kept': { enter: ['enter', 'tb1'], resources: [] },
  'resource.acquired': { resource: 'r1', kind: 'directory', name: '/tmp/r1' },
  'resource.released': { resource: 'r1' },

  'connection.requested': { ...c1, login: 'root' },
  'hangup.requested': c1,
  'dial.started': { ...c1, attempt: 1, address: '127.0.0.1:22' },
  'dial.failed': { ...c1, how: 'refused', stage: 'connect', failure: { code: 'ECONNREFUSED', message: 'refused' } },
  'socket.connected': c1,
  'banner.received': { ...c1, software: 'OpenSSH_9.2' },
  'banner.rejected': { ...c1, sample: 'HTTP/1.1 400' },
  'hostkey.seen': { ...c1, algorithm: 'ssh-ed25519', fingerprint: 'SHA256:good' },
  'hostkey.verified': { ...c1, fingerprint: 'SHA256:good' },
  'hostkey.mismatched': { ...c1, seen: 'SHA256:bad', expected: ['SHA256:good'] },
  'handshake.completed': {
    ...c1,
    kex: 'curve25519-sha256',
    hostKeyAlgorithm: 'ssh-ed25519',
    cipher: 'aes128-gcm@openssh.com',
  },
  'auth.accepted': { ...c1, login: 'root', method: 'publickey' },
  'auth.refused': { ...c1, login: 'root', tried: ['publickey'], message: 'no more methods' },
  'keepalive.missed': { ...c1, missed: 1, limit: 3 },
  'connection.lost': { ...c1, how: 'reset', failure: { code: 'ECONNRESET', message: 'reset by peer' } },
  'connection.closed': c1,
  'connection.established': { ...c1, login: 'root' },
  'connection.failed': { ...c1, cause: cause('connection-reset') },
  'connection.retired': c1,
  'forward.opened': { ...forward, direction: 'local', source: '127.0.0.1:1', target: '127.0.0.1:2' },
  'forward.failed': { ...forward, failure },
  'forward.closed': forward,

  'reboot.requested': { how: 'guest' },
  'boot.identified': { ...c1, identity: 'boot-1' },
  'boot.unidentified': { ...c1, failure },
  'reboot.asked': c1,
  'reboot.proven': { before: 'boot-1', after: 'boot-2' },
  'reboot.failed': { cause: cause('reboot-failed') },

  'command.requested': { ...x1, line: 'true', login: '', timeout: null, pty: false, sweep: false },
  'command.assigned': { ...x1, ...c1 },
  'command.abandoned': { ...x1, reason: 'the testbed has failed', cause: null },
  'cancel.requested': { ...x1, reason: 'not wanted any more' },
  'channel.opened': { ...x1, ...c1 },
  'channel.refused': { ...x1, ...c1, limit: false, message: 'administratively prohibited' },
  'command.started': { ...x1, pid: 42 },
  'command.output': { ...x1, stream: 'stdout', offset: 0, bytes: 5 },
  'command.exited': { ...x1, status: 0 },
  'command.signalled': { ...x1, signal: 'SEGV', coreDumped: false },
  'command.lost': { ...x1, how: 'reset', message: 'the connection was reset' },
  'command.closed': x1,
  'signal.delivered': { ...x1, signal: 'KILL', survivors: 0 },
  'signal.failed': { ...x1, signal: 'KILL', failure },
  'command.concluded': { ...x1, result: { kind: 'exited', status: 0 }, leaked: false, cause: null },
  'stream.truncated': { stream: 'x1.stdout', limit: 1024 },
  'copy.started': { copy: 'k1', direction: 'down', source: '/a', target: '/b' },
  'copy.progressed': { copy: 'k1', bytes: 1, total: null },
  'copy.completed': { copy: 'k1', bytes: 1 },
  'copy.failed': { copy: 'k1', cause: cause('copy-failed') },

  'run.started': { tests: true, trundle: '0.1.0', sources: ['.'], backend: ['null'] },
  'package.rejected': { message: 'no such file', file: 'debian/tests/control', line: 1 },
  'test.planned': { test: 't1', restrictions: [], superficial: false },
  'test.skipped': { test: 't1', outcome: 'skip', reason: 'not for this architecture' },
  'test.started': { test: 't1', ...x1 },
  'test.suspended': { test: 't1', mark: 'm' },
  'test.resumed': { test: 't1', ...x1, mark: 'm' },
  'test.finished': {
    test: 't1',
    result: { kind: 'exited', status: 0 },
    stderrBytes: 0,
    stderrLine: '',
    leaked: false,
    cause: null,
  },
  'test.judged': { test: 't1', outcome: 'pass', reason: '' },
  'step.failed': { doing: 'copying the tree', cause: cause('copy-failed') },
  'run.finished': {},
  'run.concluded': { exitCode: 0, cause: null },

  'deadline.expired': { deadline: 'boot', subject: 'backend:tb1', after: 1000 },
  'operator.signalled': { signal: 'SIGINT', count: 1 },
  'event.unexpected': { machine: 'run:run', state: 'idle', event: 1, eventType: 'run.started' },
};

/** Every event type there is. */
export const EVENT_TYPES = Object.keys(USUAL) as EventType[];

/** A draft of an event: the usual data, with what the test is about. */
export function draft<T extends EventType>(
  type: T,
  data: Partial<EventData<T>> = {},
  testbed: string | null = 'tb1',
  from: Origin = 'driver',
): EventDraft {
  return { testbed, from, type, ...(USUAL[type] as object), ...data } as unknown as EventDraft;
}

/** An event: the usual data, with what the test is about; `seq` may be among it. */
export function fact<T extends EventType>(
  type: T,
  data: Partial<EventData<T>> & { seq?: number } = {},
): TrundleEvent<T> {
  return { v: 1, seq: 1, at: 0, run: 'run', ...draft(type), ...data } as unknown as TrundleEvent<T>;
}

/** A deadline that passed. */
export function expired(deadline: Deadline, after = 1000): TrundleEvent<'deadline.expired'> {
  return fact('deadline.expired', { deadline, after });
}
