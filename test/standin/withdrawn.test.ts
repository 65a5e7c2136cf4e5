import { userInfo } from 'node:os';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { ReachableEndpoint } from '../../src/events/index.ts';
import { createStandIn, hostEntry } from '../../src/standin/index.ts';
import { hostAt, openHost } from '../driver/support/openHost.ts';
import { makeLifeline } from '../support/lifeline.ts';
import { ManualClock } from '../support/ManualClock.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';

describeWith(['node-pty'], 'a session whose way in never comes to the command', () => {
  test.each([
    ['a shell', true],
    ['a command', false],
  ] as const)('is killed 10 s after it was called off: %s', async (_what, terminal) => {
    const lifeline = forThisTest(makeLifeline(workplace()));
    const clock = new ManualClock();
    const host = forThisTest(await openHost(hostAt(stuckIn(lifeline.linger)), { clock }));
    const aborter = new AbortController();
    const { signal } = aborter;
    const aim = { stdin: new PassThrough(), stdout: new PassThrough(), size: { columns: 80, rows: 24 } };
    const running = terminal ? host.testbed.shell({ ...aim, signal }) : host.testbed.start('true', { signal }).ended;
    await lifeline.held;
    await host.log.first('channel.opened');
    aborter.abort(new Error('enough'));
    clock.advance(9999);
    expect(host.log.all('deadline.expired')).toEqual([]);
    clock.advance(1);
    expect(await running).toMatchObject({ result: { kind: 'cancelled' }, leaked: null });
    await lifeline.released;
    expect(host.log.all('command.started')).toMatchObject([{ pid: null }]);
  });
});

/** This machine, where every session is stuck in a script. */
function stuckIn(script: string): ReachableEndpoint {
  const { place: _none, ...here } = hostEntry();
  const standIn = createStandIn({
    entry: { ...here, enter: (account) => ({ argv: ['/bin/sh', '-c', script], env: {}, cwd: account.home }) },
    log: () => {},
  });
  forThisTest({ [Symbol.asyncDispose]: () => standIn.close() });
  return {
    via: { kind: 'memory', name: 'stuck' },
    server: 'stand-in',
    login: userInfo().username,
    hostKeys: [standIn.hostKey],
    credentials: { privateKeys: [standIn.clientKey] },
    connect: () => standIn.connect(),
  };
}
