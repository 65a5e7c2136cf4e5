import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { EMPTY } from 'rxjs';
import ssh2 from 'ssh2';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ConfiguredBackend } from '../../src/backends/index.ts';
import { generateKeyPair } from '../../src/driver/index.ts';
import type { ReachableEndpoint } from '../../src/events/index.ts';
import { memoryPipe } from '../../src/standin/memoryPipe.ts';
import { beginHost, type HostOptions } from './support/openHost.ts';

/** A server in this process that lets everybody in, and what becomes of its clients. */
function startServer() {
  const hostKey = generateKeyPair();
  const clients: { login: string; stream: Duplex; in: Promise<void> }[] = [];
  const waiting: (() => void)[] = [];
  const server = new ssh2.Server({ hostKeys: [hostKey.privateKey] });
  server.on('connection', (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => {
      const one = clients.at(-1);
      if (one !== undefined) one.login = context.username;
      context.accept();
    });
  });
  const endpoint: ReachableEndpoint = {
    via: { kind: 'memory', name: 'test' },
    server: 'stand-in',
    login: 'root',
    hostKeys: [hostKey.fingerprint],
    credentials: { privateKeys: [generateKeyPair().privateKey] },
    connect: () => {
      const [ours, theirs] = memoryPipe();
      theirs.on('error', () => {});
      const entered = new Promise<void>((resolve) =>
        server.once('connection', (client) => client.once('ready', () => resolve())),
      );
      clients.push({ login: '', stream: ours, in: entered });
      server.injectSocket(theirs as never);
      for (const resolve of waiting.splice(0)) resolve();
      return ours;
    },
  };
  /** The first client, once it is logged in. */
  const first = async () => {
    if (clients[0] === undefined) await new Promise<void>((resolve) => waiting.push(resolve));
    const [client] = clients;
    if (client === undefined) throw new Error('nobody came');
    await client.in;
    return client;
  };
  return { endpoint, clients, first };
}

/** A testbed whose SSH server answers while it is still being made, which goes on until `made()`. */
function begin(early: ReachableEndpoint, announced: ReachableEndpoint, options?: HostOptions) {
  let made = () => {};
  const whole = new Promise<void>((resolve) => {
    made = resolve;
  });
  const nothing = async () => {};
  const backend: ConfiguredBackend = {
    name: 'early',
    words: ['early'],
    capabilities: () => [],
    open: (host) => ({
      observations$: EMPTY,
      create: (signal) => {
        host.anticipate(early);
        return Promise.race([whole, once(signal, 'abort').then(() => Promise.reject(signal.reason))]);
      },
      start: nothing,
      endpoint: async () => ({ endpoint: announced, capabilities: [] }),
      stop: nothing,
      destroy: nothing,
    }),
  };
  const begun = beginHost(backend, options);
  onTestFinished(async () => void (await begun.run.close()));
  return { ...begun, made };
}

describe('an SSH server that answers before its turn', () => {
  test('is logged in to at once, and told of in its turn', async () => {
    const server = startServer();
    const { log, opening, made } = begin(server.endpoint, server.endpoint);
    await server.first();
    expect(log.all('dial.started')).toEqual([]);
    made();
    await opening;
    expect(server.clients).toHaveLength(1);
    const order = ['provision.completed', 'endpoint.announced', 'dial.started', 'hostkey.verified', 'auth.accepted'];
    const seen = await Promise.all(order.map(async (type) => (await log.first(type as 'dial.started')).seq));
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    const names = log.all('auth.accepted').map(({ connection }) => connection);
    expect(names).toEqual(log.all('connection.established').map(({ connection }) => connection));
  });

  test('is dialled anew where that connection has ended by then', async () => {
    const server = startServer();
    const { log, opening, made } = begin(server.endpoint, server.endpoint);
    const { stream } = await server.first();
    const closed = once(stream, 'close');
    stream.destroy();
    await closed;
    made();
    await opening;
    expect(server.clients).toHaveLength(2);
    expect(log.all('dial.started')).toHaveLength(1);
    expect(log.all('dial.failed')).toEqual([]);
  });

  test('is dialled anew where another is announced, and the early connection is given up', async () => {
    const server = startServer();
    const other = startServer();
    const { opening, made } = begin(server.endpoint, other.endpoint);
    const { stream } = await server.first();
    const closed = once(stream, 'close');
    made();
    await opening;
    await closed;
    expect(other.clients).toHaveLength(1);
  });

  test('is not told of where the testbed never comes up, and the connection is given up', async () => {
    const server = startServer();
    const { run, log } = begin(server.endpoint, server.endpoint);
    const { stream } = await server.first();
    const closed = once(stream, 'close');
    await run.close();
    await closed;
    expect(log.all('dial.started')).toEqual([]);
    expect(log.all('connection.closed')).toEqual([]);
  });
});
