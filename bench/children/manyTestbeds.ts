import { type Command, type EventDraft, systemClock } from '../../src/events/index.ts';
import { Deadlines } from '../../src/testbed/Deadlines.ts';
import { Journal } from '../../src/testbed/Journal.ts';

// Run by memory.ts in a process of its own, with --expose-gc: prints the bytes of heap that one testbed takes.

const PRINT = 'SHA256:0000000000000000000000000000000000000000000';
const count = Number(process.argv[2]);
const collect = globalThis.gc;
if (collect === undefined || !(count > 0)) throw new Error('to be run as: node --expose-gc manyTestbeds.ts COUNT');

let running = 0;
const deadlines = new Deadlines(systemClock, (draft) => append(draft));
const journal = new Journal({
  run: 'bench',
  clock: systemClock,
  recorder: null,
  perform,
  onFatal: (error) => {
    throw error;
  },
});

function append(draft: EventDraft): void {
  journal.append(draft);
}

/** Answers at once as a backend and a driver would, but for the command, which never ends. */
function perform(command: Command): void {
  if (!('testbed' in command)) return;
  const { testbed } = command;
  const backend = (type: EventDraft['type'], data: object = {}) =>
    append({ type, testbed, from: 'backend', ...data } as EventDraft);
  const driver = (type: EventDraft['type'], data: object) =>
    append({ type, testbed, from: 'driver', ...data } as EventDraft);
  switch (command.type) {
    case 'arm':
      return deadlines.arm(command);
    case 'disarm':
      return deadlines.disarm(command);
    case 'create':
      backend('resource.acquired', { resource: `${testbed}.r1`, kind: 'directory', name: `/tmp/trundle-${testbed}` });
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
    case 'dial': {
      const { connection, login } = command;
      driver('socket.connected', { connection });
      driver('banner.received', { connection, software: 'SSH-2.0-OpenSSH_9.2p1' });
      driver('hostkey.verified', { connection, fingerprint: PRINT });
      driver('handshake.completed', {
        connection,
        kex: 'curve25519-sha256',
        hostKeyAlgorithm: 'ssh-ed25519',
        cipher: 'aes128-gcm@openssh.com',
      });
      return driver('auth.accepted', { connection, login, method: 'publickey' });
    }
    case 'open-channel':
      running += 1;
      driver('channel.opened', { command: command.command, connection: command.connection });
      return driver('command.started', { command: command.command, pid: 4000 + running });
  }
}

function open(testbed: string): void {
  append({
    ...{ type: 'testbed.requested', testbed, from: 'runner' },
    ...{ backend: 'simulated', deadlines: {}, maxConnections: 8 },
  } as EventDraft);
  append({
    ...{ type: 'command.requested', testbed, from: 'runner', command: `${testbed}.x1`, line: 'sleep infinity' },
    ...{ login: '', timeout: null, pty: false, sweep: true },
  } as EventDraft);
}

function heap(): number {
  // Twice: what the first collection frees may free more.
  collect?.();
  collect?.();
  return process.memoryUsage().heapUsed;
}

append({
  ...{ type: 'run.started', testbed: null, from: 'runner', tests: false },
  ...{ trundle: 'bench', sources: [], backend: ['simulated'] },
} as EventDraft);
// One before all: what is loaded or compiled once belongs to none of them.
open('tb0');
const before = heap();
for (let index = 1; index <= count; index++) open(`tb${index}`);
const bytes = (heap() - before) / count;
const alive = journal.machines.alive().filter((machine) => machine.startsWith('command:')).length;
if (running !== count + 1 || alive !== count + 1) throw new Error(`${running} commands started, ${alive} are alive`);
process.stdout.write(`${JSON.stringify({ bytes })}\n`);
process.exit(0);
