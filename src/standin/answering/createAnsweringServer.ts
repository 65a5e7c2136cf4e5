import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import ssh2, { type Connection, type ServerChannel } from 'ssh2';
import { isAllowed, publicKeyOf } from '../authentication.ts';
import { heedRequests } from '../heedRequests.ts';
import { generateKeys } from '../keys.ts';
import { memoryPipe } from '../memoryPipe.ts';
import { Channel } from './Channel.ts';
import type { AnsweredConnection, AnsweringServer, ConnectionPlan } from './contract.ts';

/** Turns of the event loop after which what went into a pipe has come out, where somebody reads. */
const TURNS = 20;

interface Expected {
  plan: ConnectionPlan;
  channels: Set<Channel>;
}

/** Makes an SSH server in this process whose sessions are answered by hand. */
export function createAnsweringServer(log: (message: string) => void): AnsweringServer {
  const hostKey = generateKeys();
  const otherKey = generateKeys();
  const client = generateKeys();
  const allowed = publicKeyOf(client);
  const connections = new Set<AnsweredConnection>();
  /** ssh2 tells of a connection once its first line has come, and only it knows which socket that is. */
  const expected = new WeakMap<object, Expected>();
  const take = (connection: Connection) => {
    const coming = expected.get((connection as Connection & { _sock: object })._sock);
    if (coming !== undefined) serve(connection, coming, allowed, log);
  };
  const server = new ssh2.Server({ hostKeys: [hostKey.privateKey] }, take);
  const other = new ssh2.Server({ hostKeys: [otherKey.privateKey] }, take);
  return {
    hostKey: hostKey.fingerprint,
    clientKey: client.privateKey,
    connect(plan) {
      const [ours, theirs] = memoryPipe();
      theirs.on('error', () => {});
      const channels = new Set<Channel>();
      const connection = answered(ours, theirs, channels);
      connections.add(connection);
      ours.once('close', () => connections.delete(connection));
      expected.set(theirs, { plan, channels });
      (plan.otherKey === true ? other : server).injectSocket(theirs as never);
      return connection;
    },
    mute(says) {
      const [ours, theirs] = memoryPipe();
      theirs.on('error', () => {});
      theirs.resume();
      if (says !== '') theirs.write(says);
      const connection = answered(ours, theirs, new Set());
      connections.add(connection);
      ours.once('close', () => connections.delete(connection));
      return connection;
    },
    close() {
      for (const { stream } of [...connections]) stream.destroy();
    },
  };
}

function answered(ours: Duplex, theirs: Duplex, channels: ReadonlySet<Channel>): AnsweredConnection {
  return {
    stream: ours,
    async lose(error) {
      await Promise.all([...channels].map((channel) => channel.sent()));
      for (let turn = 0; turn < TURNS; turn++) {
        await setImmediate();
        if (theirs.writableLength > 0 || ours.readableLength > 0) turn = 0;
        if (ours.destroyed) return;
      }
      if (error === null) theirs.destroy();
      else ours.destroy(error);
    },
    silence() {
      theirs.removeAllListeners('data');
      theirs.pause();
    },
    garble() {
      theirs.write(Buffer.alloc(4096, 0x41));
    },
  };
}

function serve(
  client: Connection,
  { plan, channels }: Expected,
  allowed: Buffer,
  log: (message: string) => void,
): void {
  client.on('error', (error) => log(`answering: ${error.message}`));
  client.on('authentication', (context) => {
    if (!isAllowed(context, allowed)) return context.reject(['publickey']);
    if (context.method === 'publickey' && context.signature === undefined) return context.accept();
    void Promise.resolve(plan.admit(context.username)).then((admitted) => {
      if (admitted) context.accept();
      else context.reject(['publickey']);
    });
  });
  client.on('session', (accept, reject) => {
    if (!plan.grant()) return reject();
    const session = accept();
    heedRequests(session);
    let channel: Channel | null = null;
    // The types know fewer signals and requests than the protocol.
    const on = session.on.bind(session) as (name: string, listener: (...args: never[]) => void) => void;
    on('pty', (acceptPty: (() => void) | undefined) => acceptPty?.());
    on('window-change', (acceptSize: (() => void) | undefined) => acceptSize?.());
    on('signal', (acceptSignal: (() => void) | undefined, _reject: unknown, { name }: { name: string }) => {
      channel?.onSignal(name.replace(/^SIG/, ''));
      acceptSignal?.();
    });
    on('exec', (acceptExec: () => ServerChannel, _reject: unknown, { command }: { command: string }) => {
      const stream = acceptExec();
      const opened = new Channel(stream);
      channel = opened;
      channels.add(opened);
      stream.once('close', () => channels.delete(opened));
      plan.exec({ line: command, channel: opened });
    });
  });
}
