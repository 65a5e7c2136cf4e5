import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { enterSession, SERVING, type WaitingServer } from '../../src/backends/shared/session/enterSession.ts';
import { Screen } from '../support/screen.ts';
import { workplace } from '../support/workplace.ts';

/** Far more than it ever takes, so that only a fault shows. */
const PATIENCE = 60_000;

// What it waits for is then an event, or the clock that a test turns on.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** A script that has become a server on this machine, and waits for its client. */
async function waiting(serve: string): Promise<{ server: WaitingServer; gone: Promise<unknown> }> {
  const pipe = join(workplace(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  // Its end comes once all have ended that the script has become and started.
  const gone = readFile(pipe);
  // One line, so that a shell that reads by lines leaves nothing of it to the server.
  const script = `exec 3>'${pipe}'; printf '\\n%s\\n' '${SERVING}'; echo SSH-2.0-of-a-test; ${serve}\n`;
  const here = { argv: ['env'], environment: 'passed' } as const;
  const { server } = await enterSession(here, script, { signal: AbortSignal.timeout(PATIENCE), args: [] });
  if (server === null) throw new Error('it has not become a server');
  return { server, gone };
}

test('a server whose client does not come may end in order, and takes along what it has started', async () => {
  const inOrder = join(workplace(), 'in-order');
  const { server, gone } = await waiting(`sleep 1000 </dev/null & cat >/dev/null; : >'${inOrder}'`);
  await server.close();
  await gone;
  expect(existsSync(inOrder)).toBe(true);
  expect(server.take()).toBeNull();
});

test('a server that does not heed the end of its stdin is killed after a while, with what it has started', async () => {
  const { server, gone } = await waiting('trap "" HUP TERM; sleep 1000 & while :; do sleep 1000; done');
  const closing = server.close();
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersToNextTimerAsync();
  await closing;
  await gone;
  expect(server.take()).toBeNull();
});

test('a server that has its client is left to it', async () => {
  const { server } = await waiting('exec cat');
  const running = server.take();
  if (running === null) throw new Error('it has ended');
  const { stdin, stdout, exited } = running;
  await server.close();
  const said = stdout.pipe(new Screen());
  stdin.end('here I am\n');
  await Promise.all([once(stdout, 'close'), exited]);
  expect(said.text).toBe('SSH-2.0-of-a-test\nhere I am\n');
  expect(server.take()).toBeNull();
});

test('a server that has ended by itself is closed at once', async () => {
  const { server, gone } = await waiting('exit');
  await gone;
  await server.close();
  expect(server.take()).toBeNull();
});
