import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Address } from './faultProxy.ts';

/** A server that is no SSH server. */
export interface BadServer extends AsyncDisposable {
  readonly address: Address;
  /** How many connections it has accepted. */
  readonly accepted: number;
}

/** A server that accepts connections and never says a word. */
export function silentServer(): Promise<BadServer> {
  return serve(() => {});
}

/** A server that greets with these bytes and then waits. */
export function talkingServer(greeting: string | Uint8Array): Promise<BadServer> {
  return serve((socket) => socket.write(greeting));
}

/** An address at which connections are refused, and where a server may appear later. */
export interface VacantAddress extends AsyncDisposable {
  readonly address: Address;
  /** Lets connections through to the target from now on. */
  open(target: Address): Promise<void>;
}

/**
 * An address of the loopback that nobody else uses: a random one of 127.0.0.0/8, so that its port, chosen by the
 * kernel and then given back, is not taken by another program meanwhile.
 */
export async function vacantAddress(): Promise<VacantAddress> {
  const [a = 1, b = 1, c = 1] = randomBytes(3);
  const host = `127.${1 + (a % 254)}.${b}.${1 + (c % 254)}`;
  const probe = createServer().listen(0, host);
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  let server: Server | null = null;
  const sockets = new Set<Socket>();
  return {
    address: { host, port },
    async open(target) {
      server = createServer((client) => {
        const upstream = connect(target);
        for (const socket of [client, upstream]) {
          sockets.add(socket);
          socket.on('error', () => {});
          socket.on('close', () => {
            client.destroy();
            upstream.destroy();
          });
        }
        client.pipe(upstream).pipe(client);
      });
      server.listen(port, host);
      await once(server, 'listening');
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      if (server === null) return;
      server.close();
      await once(server, 'close');
    },
  };
}

async function serve(greet: (socket: Socket) => void): Promise<BadServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    // Read what comes, so that the other side's end is noticed.
    socket.resume();
    greet(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { address: host, port } = server.address() as AddressInfo;
  return {
    address: { host, port },
    get accepted() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
