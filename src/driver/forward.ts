import { type AddressInfo, connect, createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import type { EventData, EventDraft, EventType } from '../events/index.ts';
import type { Connection } from './Connection.ts';
import type { DriverHost, Forward, ForwardRequest } from './contract.ts';
import { failureOf } from './socket.ts';

/** Opens a TCP forward on a connection (RFC 4254, section 7). @throws Error where neither side will listen */
export async function openForward(request: ForwardRequest, connection: Connection, host: DriverHost): Promise<Forward> {
  const { forward, direction, listen, connect: target } = request;
  const emit = <T extends EventType>(type: T, data: Omit<EventData<T>, 'forward' | 'connection'>) =>
    host.emit({
      type,
      testbed: host.testbed,
      from: 'driver',
      forward,
      connection: connection.id,
      ...data,
    } as unknown as EventDraft);
  try {
    const open = direction === 'local' ? openLocal : openRemote;
    const { listening, close } = await open(connection, listen, target, host);
    emit('forward.opened', {
      direction,
      source: `${listening.host}:${listening.port}`,
      target: `${target.host}:${target.port}`,
    });
    let closed = false;
    const tellClosed = () => {
      if (closed) return;
      closed = true;
      emit('forward.closed', {});
    };
    // As many forwards as there are may wait for the connection's end.
    connection.client.setMaxListeners(0);
    connection.client.once('close', () => void close().then(tellClosed, tellClosed));
    return {
      listening,
      close: async () => {
        if (closed) return;
        await close();
        tellClosed();
      },
    };
  } catch (error) {
    emit('forward.failed', { failure: failureOf(error) });
    throw error;
  }
}

interface Address {
  host: string;
  port: number;
}
interface Opened {
  listening: Address;
  close: () => Promise<void>;
}

async function openLocal(connection: Connection, listen: Address, target: Address, host: DriverHost): Promise<Opened> {
  const sockets = new Set<Duplex>();
  // Either side may end its half and still listen, as over a plain connection.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    keep(sockets, socket);
    const { remoteAddress = '127.0.0.1', remotePort = 0 } = socket;
    connection.client.forwardOut(remoteAddress, remotePort, target.host, target.port, (error, channel) => {
      if (error) {
        host.log('the testbed refused a forwarded connection', { message: error.message });
        socket.destroy();
        // It may have gone while the testbed was asked.
      } else if (socket.destroyed) channel.destroy();
      else join(socket, channel);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  server.on('error', (error) => host.log('accepting a forwarded connection failed', { message: error.message }));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  return { listening: { host: listen.host, port }, close };
}

async function openRemote(connection: Connection, listen: Address, target: Address): Promise<Opened> {
  const { client } = connection;
  const sockets = new Set<Duplex>();
  const port = await new Promise<number>((resolve, reject) => {
    client.once('close', () => reject(new Error('the connection went away')));
    client.forwardIn(listen.host, listen.port, (error, bound) => {
      if (error) reject(new Error(`the testbed will not listen at ${listen.host}:${listen.port}: ${error.message}`));
      // For a fixed port the server answers without one (RFC 4254, section 7.1).
      else resolve(bound || listen.port);
    });
  });
  const accept = (details: { destPort: number }, acceptChannel: () => Duplex) => {
    if (details.destPort !== port) return;
    const socket = connect({ host: target.host, port: target.port, allowHalfOpen: true });
    keep(sockets, socket);
    join(socket, acceptChannel());
  };
  client.on('tcp connection', accept as never);
  const close = () =>
    new Promise<void>((resolve) => {
      client.off('tcp connection', accept as never);
      for (const socket of sockets) socket.destroy();
      if (!connection.ready) return resolve();
      client.once('close', () => resolve());
      client.unforwardIn(listen.host, port, () => resolve());
    });
  return { listening: { host: listen.host, port }, close };
}

function keep(sockets: Set<Duplex>, socket: Duplex): void {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
}

/** Leads each side's bytes and end to the other. What a side said before it closed in order is still delivered. */
function join(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.once('close', () => {
      if (!from.readableEnded) to.destroy();
    });
  }
}
