import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Milliseconds that the other side may take to answer, or to say farewell. */
const PATIENCE = 10_000;

/** A WebSocket (RFC 6455) that only sends: Node 20 has none of its own. */
export interface WebSocketSender extends AsyncDisposable {
  /** Resolves once there is room for more. @throws Error where the other side has left */
  send(text: string): Promise<void>;
}

/** Opens a WebSocket. @throws Error where nobody answers, or something that speaks another protocol */
export async function openWebSocket(url: URL): Promise<WebSocketSender> {
  if (url.protocol !== 'ws:') throw new Error(`${url.href}: only ws: addresses can be sent to`);
  const key = randomBytes(16).toString('base64');
  const asked = request({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port || 80,
    path: `${url.pathname}${url.search}`,
    headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': key },
    timeout: PATIENCE,
  });
  const socket = await new Promise<Duplex>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${url.href}: ${why}`));
    asked.once('upgrade', ({ headers }, stream: Socket) => {
      const proof = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      if (headers['sec-websocket-accept'] === proof) resolve(stream.setTimeout(0));
      else fail('it does not speak WebSocket');
    });
    asked.once('response', ({ statusCode }) => fail(`it answers ${statusCode} and does not speak WebSocket`));
    asked.once('timeout', () => asked.destroy(new Error(`no answer for ${PATIENCE / 1000} s`)));
    asked.once('error', (error) => fail(error.message));
    asked.end();
  });
  let problem: Error | null = null;
  socket.on('error', (error) => {
    problem ??= error;
  });
  // What the relay sends is for other programs.
  socket.resume();
  return {
    async send(text) {
      if (problem !== null || socket.destroyed || socket.readableEnded)
        throw new Error(`${url.href}: the connection ended${problem === null ? '' : `: ${problem.message}`}`);
      if (!socket.write(frame(1, Buffer.from(text))))
        await once(socket, 'drain', { signal: AbortSignal.timeout(PATIENCE) });
    },
    async [Symbol.asyncDispose]() {
      if (socket.destroyed) return;
      const closed = once(socket, 'close', { signal: AbortSignal.timeout(PATIENCE) });
      // 1000: all is done.
      socket.end(frame(8, Buffer.from([0x03, 0xe8])));
      await closed.catch(() => socket.destroy());
    },
  };
}

/** One frame, whole and masked, as a client has to send it (RFC 6455, section 5). */
function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (length < 126) head[1] = 0x80 | length;
  else if (length < 65_536) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  const mask = randomBytes(4);
  const masked = Buffer.from(payload);
  for (let at = 0; at < length; at++) masked[at] = (payload[at] as number) ^ (mask[at % 4] as number);
  return Buffer.concat([head, mask, masked]);
}
