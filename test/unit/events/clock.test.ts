import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/events/index.ts';

/** Stands still, as a process does that gets no processor, until any timer of a millisecond is due. */
function standStill(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
}

test('what came in while the process stood still is heard before a deadline that passed meanwhile', async () => {
  const { port1, port2 } = new MessageChannel();
  const seen: string[] = [];
  const heard = new Promise<void>((resolve) => {
    port2.once('message', () => {
      seen.push('answer');
      resolve();
    });
  });
  const passed = new Promise<void>((resolve) => {
    systemClock.after(1, () => {
      seen.push('deadline');
      resolve();
    });
  });
  port1.postMessage('answer');
  standStill();
  await Promise.all([heard, passed]);
  port1.close();
  expect(seen).toEqual(['answer', 'deadline']);
});

test('a deadline that such an answer takes back does not pass', async () => {
  const { port1, port2 } = new MessageChannel();
  let passed = false;
  const timer = systemClock.after(1, () => {
    passed = true;
  });
  const heard = new Promise<void>((resolve) => {
    port2.once('message', () => {
      systemClock.clear(timer);
      resolve();
    });
  });
  port1.postMessage('answer');
  standStill();
  await heard;
  // It would have been due in this very turn.
  await new Promise((resolve) => setImmediate(resolve));
  port1.close();
  expect(passed).toBe(false);
});

test('where there is no deadline, none is taken back', () => {
  expect(() => [null, undefined].map((none) => systemClock.clear(none))).not.toThrow();
});
