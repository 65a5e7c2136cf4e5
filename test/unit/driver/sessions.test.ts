import { EventEmitter } from 'node:events';
import type { Client } from 'ssh2';
import { expect, test } from 'vitest';
import { Sessions } from '../../../src/driver/Sessions.ts';

test('a session that waited for room while the connection closed is refused, and nothing is thrown', () => {
  const channels: EventEmitter[] = [];
  let connected = true;
  const callbacks: (() => void)[] = [];
  // ssh2 throws this error itself, at a moment that a real server cannot be made to hit.
  const client = {
    exec(_line: string, _options: object, opened: (error: undefined, channel: EventEmitter) => void) {
      if (!connected) throw new Error('Not connected');
      const channel = new EventEmitter();
      channels.push(channel);
      opened(undefined, channel);
    },
    _callbacks: callbacks,
    _protocol: { ping: () => {} },
  };
  const sessions = new Sessions(client as unknown as Client);
  const refusals: string[] = [];
  const open = () =>
    sessions.exec('true', {}, (error, _channel) => {
      if (error) refusals.push(error.message);
    });
  for (let count = 0; count < 8; count += 1) open();
  channels[0]?.emit('close');
  open();
  expect([channels.length, refusals]).toEqual([8, []]);
  connected = false;
  for (const callback of callbacks.splice(0)) callback();
  expect(refusals).toEqual(['Not connected']);
});
