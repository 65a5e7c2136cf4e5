import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const PEER = `
const { createServer } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const state = new Int32Array(workerData.state);
const server = createServer((socket) => {
  socket.on('error', () => {});
  Atomics.wait(state, 0, 0);
  socket.once('close', () => {
    Atomics.store(state, 1, 1);
    Atomics.notify(state, 1);
  });
  socket.write('last words', () => { LAST });
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address()));
`;

/** A peer of its own thread: it acts while this one stands still. */
export interface PeerInThread extends AsyncDisposable {
  readonly address: { readonly host: string; readonly port: number };
  /** Lets it say its last words and go; holds this whole thread until it has gone. */
  goAndWait(): void;
}

/** Starts a peer on the loopback. `last` is what it does with its `socket` after its last words. */
export async function peerInThread(last: string): Promise<PeerInThread> {
  const state = new SharedArrayBuffer(8);
  const worker = new Worker(PEER.replace('LAST', last), { eval: true, workerData: { state } });
  const [{ address: host, port }] = await once(worker, 'message');
  const flags = new Int32Array(state);
  return {
    address: { host, port },
    goAndWait() {
      Atomics.store(flags, 0, 1);
      Atomics.notify(flags, 0);
      if (Atomics.wait(flags, 1, 0, 10_000) === 'timed-out') throw new Error('the peer did not go in 10 seconds');
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}
