import type { Clock, Command, EventDraft } from '../../src/events/index.ts';
import { Journal } from '../../src/testbed/Journal.ts';
import type { Recorder } from '../../src/trace/index.ts';

/** What happens in a scripted run. */
export interface Script {
  recorder: Recorder;
  clock: Clock;
  /** Test commands that are run one after the other. */
  commands?: number;
  /** Chunks of output that each command writes. */
  chunks?: number;
  /** Exit status of each command. */
  status?: number;
  /** The connection is reset while the last command runs. */
  lost?: boolean;
}

const PRINT = 'SHA256:0000000000000000000000000000000000000000000';
const CHUNK = Buffer.from('ok\n'.repeat(100));

/** The real journal and machines with edges that answer every command at once: a whole run, in no time. */
export function scriptedRun({ recorder, clock, commands = 1, chunks = 1, status = 0, lost = false }: Script): void {
  const testbed = 'tb1';
  let ran = 0;
  const driver = (type: EventDraft['type'], data: object) =>
    append({ type, testbed, from: 'driver', ...data } as EventDraft);
  const backend = (type: EventDraft['type'], data: object = {}) =>
    append({ type, testbed, from: 'backend', ...data } as EventDraft);

  function dial(connection: string, attempt: number, login: string): void {
    driver('dial.started', { connection, attempt, address: '127.0.0.1:22' });
    driver('socket.connected', { connection });
    driver('banner.received', { connection, software: 'SSH-2.0-OpenSSH_9.2p1' });
    driver('hostkey.seen', { connection, algorithm: 'ssh-ed25519', fingerprint: PRINT });
    driver('hostkey.verified', { connection, fingerprint: PRINT });
    driver('handshake.completed', {
      connection,
      kex: 'curve25519-sha256',
      hostKeyAlgorithm: 'ssh-ed25519',
      cipher: 'aes128-gcm@openssh.com',
    });
    driver('auth.accepted', { connection, login, method: 'publickey' });
  }

  function open(command: string, connection: string): void {
    ran += 1;
    driver('channel.opened', { command, connection });
    driver('command.started', { command, pid: 4000 + ran });
    for (let chunk = 0; chunk < chunks; chunk++) {
      recorder.bytes(`${command}.stdout`, CHUNK);
      driver('command.output', { command, stream: 'stdout', offset: chunk * CHUNK.length, bytes: CHUNK.length });
    }
    if (lost && ran === commands) {
      driver('command.lost', { command, how: 'reset', message: 'read ECONNRESET' });
      driver('connection.lost', {
        connection,
        how: 'reset',
        failure: { code: 'ECONNRESET', message: 'read ECONNRESET' },
      });
      return;
    }
    driver('command.exited', { command, status });
    driver('command.closed', { command });
  }

  function perform(command: Command): void {
    switch (command.type) {
      case 'create':
        backend('resource.acquired', { resource: 'tb1.r1', kind: 'directory', name: '/tmp/trundle-example-tb1' });
        return backend('provision.completed');
      case 'start':
        return backend('boot.completed');
      case 'locate':
        return backend('endpoint.announced', {
          endpoint: {
            via: { kind: 'tcp', host: '127.0.0.1', port: 22 },
            server: 'sshd',
            login: 'root',
            hostKeys: [PRINT],
          },
          capabilities: ['root-on-testbed'],
        });
      case 'stop':
        return backend('shutdown.completed');
      case 'destroy':
        backend('resource.released', { resource: 'tb1.r1' });
        return backend('destruction.completed');
      case 'dial':
        return dial(command.connection, command.attempt, command.login);
      case 'hang-up':
        return driver('connection.closed', { connection: command.connection });
      case 'open-channel':
        return open(command.command, command.connection);
      case 'signal':
        return driver('signal.delivered', { command: command.command, signal: command.signal, survivors: 0 });
      case 'close-channel':
        return driver('command.closed', { command: command.command });
    }
  }

  const journal = new Journal({
    run: 'example',
    clock,
    recorder,
    perform,
    onFatal: (error) => {
      throw error;
    },
  });
  const append = (draft: EventDraft) => journal.append(draft);
  const runner = (type: EventDraft['type'], data: object, of: string | null = null) =>
    append({ type, testbed: of, from: 'runner', ...data } as EventDraft);

  runner('run.started', { tests: true, trundle: '0.1.0', sources: ['examples/hello'], backend: ['ssh', '127.0.0.1'] });
  for (let test = 1; test <= commands; test++)
    runner('test.planned', { test: `t${test}`, restrictions: [], superficial: false });
  runner('testbed.requested', { backend: 'ssh', deadlines: {}, maxConnections: 8 }, testbed);
  for (let test = 1; test <= commands; test++) {
    const command = `tb1.x${test}`;
    runner('test.started', { test: `t${test}`, command: `debian/tests/t${test}` });
    runner(
      'command.requested',
      { command, line: `debian/tests/t${test}`, login: '', timeout: 10_000, pty: false, sweep: true },
      testbed,
    );
    const broken = lost && test === commands;
    runner('test.finished', {
      test: `t${test}`,
      result: broken ? { kind: 'lost', how: 'reset' } : { kind: 'exited', status },
      stderrBytes: 0,
      stderrLine: '',
      leaked: false,
      cause: null,
    });
  }
  runner('teardown.requested', { reason: 'the run ends', force: false }, testbed);
  runner('run.finished', {});
  journal.close();
}
