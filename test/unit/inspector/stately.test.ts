import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';
import { createInspectorServer } from '@statelyai/inspect/server';
import { expect, onTestFinished, test } from 'vitest';
import { sendToStately } from '../../../src/inspector/index.ts';

const TRACE = join(fileURLToPath(new URL('../../traces/', import.meta.url)), 'v1-lost-connection');

/** A port that nobody listens on, as far as anybody can tell. */
async function vacantPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test("Stately's own relay takes a run and hands it to who listens, machine by machine", async () => {
  const port = await vacantPort();
  const relay = createInspectorServer({ port, autoOpen: false });
  onTestFinished(() => relay.stop());
  const url = `ws://127.0.0.1:${port}`;
  const sent = await sendToStately(TRACE, url, new AbortController().signal);
  const got: StatelyInspectionEvent[] = [];
  // Who comes later gets the relay's last 200 messages.
  await new Promise<void>((resolve) => {
    createWebSocketReceiver({ server: url }).subscribe((event) => {
      got.push(event);
      if (got.length === Math.min(sent, 200)) resolve();
    });
  });
  expect(sent).toBeGreaterThan(100);
  const snapshots = got.filter((event) => event.type === '@xstate.snapshot');
  const lost = snapshots.find(
    ({ sessionId, event }) => sessionId === 'connection:tb1.c1' && event.type === 'connection.lost',
  );
  expect(lost?.snapshot).toMatchObject({ status: 'done', value: 'failed' });
  const actors = got.filter((event) => event.type === '@xstate.actor');
  const command = actors.find(({ sessionId }) => sessionId === 'command:tb1.x5');
  expect(JSON.parse(command?.definition ?? '{}')).toMatchObject({ id: 'command', initial: 'idle' });
});

test('an address at which nobody listens is named', async () => {
  const url = `ws://127.0.0.1:${await vacantPort()}`;
  await expect(sendToStately(TRACE, url, new AbortController().signal)).rejects.toThrow(
    `${url}/: connect ECONNREFUSED`,
  );
});

test('a server that speaks no WebSocket is told from one that is not there', async () => {
  const server = createHttpServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect(sendToStately(TRACE, url, new AbortController().signal)).rejects.toThrow('does not speak WebSocket');
});
