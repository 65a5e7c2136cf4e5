import { userInfo } from 'node:os';
import { expect, test } from 'vitest';
import { startSshServer } from '../faults/support/sshServer.ts';
import { makeLifeline } from '../support/lifeline.ts';
import { describeWith } from '../support/needs.ts';
import { makeOrdinaryUser } from '../support/ordinaryUser.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { endpointOf, hostAt, type OpenHost, openHost, openSshd } from './support/openHost.ts';

const HUNDRED = Array.from({ length: 100 }, (_, index) => index);

describeWith(['sshd'], 'a hundred commands at once', () => {
  test.each([
    { sessions: 'default', config: [], most: 8 },
    { sessions: 3, config: ['MaxSessions 3'], most: 8 },
    { sessions: 1, config: ['MaxSessions 1'], most: 4 },
  ])('all succeed where MaxSessions is $sessions', async ({ config, most }) => {
    const host = await openSshd(config, { maxConnections: most });
    const answers = await Promise.all(HUNDRED.map((number) => host.testbed.exec(['echo', String(number)])));
    expect(answers.map(({ stdout }) => stdout)).toEqual(HUNDRED.map((number) => `${number}\n`));
    const made = host.log.all('connection.established').length;
    expect(made).toBeGreaterThan(1);
    expect(made).toBeLessThanOrEqual(most);
  });

  test('make do with one connection where more are not wanted, and keep their order', async () => {
    const host = await openSshd(['MaxSessions 1'], { maxConnections: 1 });
    const running = HUNDRED.slice(0, 30).map((number) => host.testbed.exec(['echo', String(number)]));
    await Promise.all(running);
    expect(host.log.all('connection.established')).toHaveLength(1);
    const started = host.log.all('command.started').map(({ command }) => command);
    const asked = host.log.all('command.requested').map(({ command }) => command);
    expect(started).toEqual(asked);
  });

  test('can all be ended, although the server grants each connection few sessions', async () => {
    const host = await openSshd(['MaxSessions 3'], { maxConnections: 4 });
    const lifelines = Array.from({ length: 6 }, () => forThisTest(makeLifeline(workplace())));
    const aborter = new AbortController();
    const running = lifelines.map((lifeline) => host.testbed.exec(lifeline.linger, { signal: aborter.signal }));
    for (const each of running) each.catch(() => {});
    await Promise.all(lifelines.map((lifeline) => lifeline.held));
    aborter.abort();
    for (const each of running) await expect(each).rejects.toMatchObject({ result: { kind: 'cancelled' } });
    await Promise.all(lifelines.map((lifeline) => lifeline.released));
  });
});

describeWith(['sshd'], 'a server that grants no session at all', () => {
  test('is a testbed that failed, with that reason', async () => {
    const host = await openSshd(['MaxSessions 0']);
    await expect(host.testbed.exec(['true'])).rejects.toMatchObject({
      cause: {
        class: 'channel-refused',
        phase: 'exec',
        doing: 'opening a session',
        detail: 'the server grants no session at all (MaxSessions 0?)',
      },
    });
  });
});

describeWith(['sshd', 'root', 'useradd'], 'root and an ordinary user', () => {
  test('work side by side', async () => {
    const { host, user } = await openForBoth();
    const lifeline = forThisTest(makeLifeline(workplace()));
    const aborter = new AbortController();
    const waiting = host.testbed.exec(lifeline.linger, { signal: aborter.signal });
    waiting.catch(() => {});
    await lifeline.held;
    const whoami = (login?: string) => host.testbed.exec('id -un; pwd', login === undefined ? {} : { login });
    const [first, other, again] = await Promise.all([whoami(), whoami(user.login), whoami(userInfo().username)]);
    expect(other.stdout).toBe(`${user.login}\n${user.home}\n`);
    expect(first.stdout).toBe(again.stdout);
    expect(first.stdout).toMatch(/^root\n/);
    aborter.abort();
    await expect(waiting).rejects.toMatchObject({ result: { kind: 'cancelled' } });
  });

  test('take turns where only one connection may be had', async () => {
    const { host, user } = await openForBoth({ maxConnections: 1 });
    for (const login of ['root', user.login, 'root', user.login]) {
      expect((await host.testbed.exec(['id', '-un'], { login })).stdout).toBe(`${login}\n`);
    }
    expect(host.log.all('hangup.requested').length).toBeGreaterThan(0);
  });

  test('an unknown user is refused, and the testbed goes on', async () => {
    const { host } = await openForBoth();
    await expect(host.testbed.exec(['true'], { login: 'trundle-nobody' })).rejects.toMatchObject({
      cause: { class: 'auth-refused', detail: expect.stringContaining('tried publickey') },
    });
    expect((await host.testbed.exec(['id', '-un'])).stdout).toBe('root\n');
  });
});

async function openForBoth(options: { maxConnections?: number } = {}): Promise<{
  host: OpenHost;
  user: { login: string; home: string };
}> {
  const user = forThisTest(makeOrdinaryUser());
  const sshd = forThisTest(await startSshServer());
  const host = forThisTest(await openHost(hostAt(endpointOf(sshd, { login: 'root' })), options));
  return { host, user };
}
