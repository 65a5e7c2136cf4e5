import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A place to connect to. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What goes wrong on a proxied connection. Ends are as the SSH client and the SSH server see them. */
export type Fault =
  /** RST to one end or both: the kernel says `connection reset by peer`. */
  | 'reset-both'
  | 'reset-client'
  | 'reset-server'
  /** FIN to both, as from a server that goes away in order. */
  | 'close'
  /** Both ends stay connected and hear nothing more. */
  | 'silence';

/** Which way bytes go: `up` from the SSH client to the server, `down` the other way. */
export type Way = 'up' | 'down';

interface Trigger {
  readonly way: Way;
  readonly bytes: number;
  readonly fault: Fault;
}

/**
 * A TCP proxy on the loopback, between the driver and a real SSH server, that makes one fault happen at an exact
 * byte or at an exact moment. Its port is chosen by the kernel.
 */
export class FaultProxy implements AsyncDisposable {
  readonly address: Address;
  /** Bytes that came through so far, over all connections. */
  readonly bytes: Record<Way, number> = { up: 0, down: 0 };
  readonly #server: Server;
  readonly #target: Address;
  readonly #pairs = new Set<{ client: Socket; server: Socket }>();
  #silent = false;
  #trigger: Trigger | null = null;
  #onTriggered: () => void = () => {};

  private constructor(server: Server, target: Address) {
    this.#server = server;
    this.#target = target;
    const { address: host, port } = server.address() as AddressInfo;
    this.address = { host, port };
    server.on('connection', (client) => this.#join(client));
  }

  static async to(target: Address): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultProxy(server, target);
  }

  /** Makes the fault happen now, to every connection there is. */
  now(fault: Fault): void {
    this.#trigger = null;
    if (fault === 'silence') this.#silent = true;
    for (const { client, server } of this.#pairs) strike(fault, client, server);
  }

  /**
   * Makes the fault happen once so many more bytes have come through, and not one byte later. The promise resolves
   * at that moment.
   */
  after(bytes: number, way: Way, fault: Fault): Promise<void> {
    this.#trigger = { way, bytes: this.bytes[way] + bytes, fault };
    return new Promise((resolve) => {
      this.#onTriggered = resolve;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    const server = connect({ ...this.#target, allowHalfOpen: true });
    const pair = { client, server };
    this.#pairs.add(pair);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      // A reset is what this proxy is for; 'close' follows.
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        server.destroy();
        this.#pairs.delete(pair);
      });
    }
    this.#forward(client, server, 'up');
    this.#forward(server, client, 'down');
  }

  #forward(from: Socket, to: Socket, way: Way): void {
    from.on('data', (chunk: Buffer) => {
      if (this.#silent) return;
      const limit = this.#trigger?.way === way ? this.#trigger.bytes - this.bytes[way] : Number.POSITIVE_INFINITY;
      const passing = chunk.subarray(0, Math.max(0, limit));
      this.bytes[way] += passing.length;
      const room = passing.length === 0 || to.write(passing);
      if (passing.length < chunk.length || limit === chunk.length) return this.#strike();
      if (!room) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
    from.on('end', () => {
      if (!this.#silent) to.end();
    });
  }

  #strike(): void {
    const { fault } = this.#trigger as Trigger;
    this.now(fault);
    this.#onTriggered();
  }
}

/**
 * Resets at once. Node's own resetAndDestroy() first ends the stream where something is still to be sent, and the peer
 * then sees an orderly end before the reset.
 */
function reset(socket: Socket): void {
  Object.assign(socket, { resetAndClosing: true });
  socket.destroy();
}

function strike(fault: Fault, client: Socket, server: Socket): void {
  switch (fault) {
    case 'reset-both':
      reset(client);
      reset(server);
      return;
    case 'reset-client':
      reset(client);
      return;
    case 'reset-server':
      reset(server);
      return;
    case 'close':
      client.end();
      server.end();
      return;
    case 'silence':
      client.pause();
      server.pause();
  }
}
