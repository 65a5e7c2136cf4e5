import { once } from 'node:events';
import { Duplex } from 'node:stream';
import type { ServerChannel } from 'ssh2';
import { afterEach, expect, test, vi } from 'vitest';
import { loadPty, PtySession } from '../../src/standin/PtySession.ts';
import { makeLifeline } from '../support/lifeline.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';

afterEach(() => void vi.useRealTimers());

describeWith(['node-pty'], 'what was printed on a terminal', () => {
  test('reaches a client that takes it long after the process has ended', async () => {
    const nodePty = await loadPty();
    if (nodePty === null) throw new Error('node-pty is gone');
    const lifeline = forThisTest(makeLifeline(workplace()));
    // node-pty's own clock, which is not to be in the way.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let said = '';
    let take = () => {};
    const taken = new Promise<void>((resolve) => {
      take = resolve;
    });
    const write = (chunk: Buffer, _encoding: string, done: () => void) =>
      void taken.then(() => {
        said += chunk.toString();
        done();
      });
    const channel = Object.assign(new Duplex({ highWaterMark: 1, read() {}, write }), { exit: vi.fn() });
    const script = `${lifeline.hold}; i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); echo $i; done`;
    const ended = vi.fn();
    new PtySession(
      nodePty,
      { columns: 80, rows: 24, term: 'dumb' },
      { argv: ['/bin/sh', '-c', script], env: {}, cwd: '/' },
      // Of an SSH channel only what a stream has is used, and its exit.
      channel as unknown as ServerChannel,
      { stands: () => Promise.resolve(true), onEnd: ended },
    );
    await lifeline.released;
    await vi.waitUntil(() => vi.getTimerCount() > 0 || channel.exit.mock.calls.length > 0);
    await vi.advanceTimersByTimeAsync(10_000);
    take();
    await once(channel, 'finish');
    expect(said.split('\r\n')).toHaveLength(2001);
    expect(channel.exit).toHaveBeenCalledExactlyOnceWith(0);
    expect(ended).toHaveBeenCalledOnce();
  });
});
