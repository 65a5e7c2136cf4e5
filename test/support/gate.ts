import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** The other side of the gate at which the backend `gated` (test/fixtures/backends) lets a verb wait. */
export interface Gate extends AsyncDisposable {
  readonly port: number;
  /** Resolves with the verb's name when one has come to the gate. */
  readonly arrived: Promise<string>;
  /** Lets who waits, and all who come later, pass. */
  open(): void;
}

/** Makes a gate on a port chosen by the kernel. */
export async function makeGate(): Promise<Gate> {
  const waiting = new Set<Socket>();
  let isOpen = false;
  let arrive: (verb: string) => void = () => {};
  const arrived = new Promise<string>((resolve) => {
    arrive = resolve;
  });
  const server = createServer((socket) => {
    // Who is killed at the gate resets its connection.
    socket.on('error', () => {});
    socket.once('data', (verb) => {
      arrive(verb.toString().trim());
      if (isOpen) socket.end();
      else waiting.add(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    arrived,
    open() {
      isOpen = true;
      for (const socket of waiting) socket.end();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of waiting) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
