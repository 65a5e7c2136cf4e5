import { expect, test } from 'vitest';
import { startSshServer } from '../faults/support/sshServer.ts';
import { talkingServer } from '../support/badServers.ts';
import { FaultProxy } from '../support/faultProxy.ts';
import { ManualClock } from '../support/ManualClock.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest } from '../support/workplace.ts';
import { beginHost, endpointOf, hostAt, openHost } from './support/openHost.ts';

describeWith(['sshd'], 'a deadline', () => {
  test('of the key exchange ends the wait for a server that greets and then falls silent', async () => {
    const sshd = forThisTest(await startSshServer());
    const mute = forThisTest(await talkingServer('SSH-2.0-OpenSSH_9.2\r\n'));
    const clock = new ManualClock();
    const endpoint = endpointOf(sshd, { via: { kind: 'tcp', ...mute.address } });
    const { run, log, opening } = beginHost(hostAt(endpoint), { clock, deadlines: { 'ssh-ready': 10_500 } });
    await log.first('banner.received');
    clock.advance(10_000);
    expect(await log.first('deadline.expired')).toMatchObject({ deadline: 'exchange', after: 10_000 });
    await log.first('connection.closed');
    clock.advance(500);
    await expect(opening).rejects.toMatchObject({ cause: { class: 'connection-silent', phase: 'ssh-ready' } });
    await run.close();
  });

  test('of the login ends the wait for a server that falls silent after the key exchange', async () => {
    const sshd = forThisTest(await startSshServer());
    const proxy = forThisTest(await FaultProxy.to(sshd.address));
    const clock = new ManualClock();
    const endpoint = endpointOf(sshd, { via: { kind: 'tcp', ...proxy.address } });
    const { run, log, opening } = beginHost(hostAt(endpoint), { clock, deadlines: { 'ssh-ready': 20_500 } });
    // The server's host key has come; what the client answers to it reaches nobody any more.
    await log.first('hostkey.verified');
    proxy.now('silence');
    await log.first('handshake.completed').catch(() => {});
    clock.advance(20_000);
    const expired = await log.first('deadline.expired');
    expect(['auth', 'exchange']).toContain(expired.deadline);
    clock.advance(10_000);
    await expect(opening).rejects.toMatchObject({ cause: { class: 'connection-silent', phase: 'ssh-ready' } });
    await run.close();
  });

  test('of a channel ends the wait for a command that the server does not start', async () => {
    const sshd = forThisTest(await startSshServer());
    const proxy = forThisTest(await FaultProxy.to(sshd.address));
    const clock = new ManualClock();
    const endpoint = endpointOf(sshd, { via: { kind: 'tcp', ...proxy.address } });
    // The keepalive would tell the silence first.
    const host = forThisTest(await openHost(hostAt(endpoint), { clock, deadlines: { channel: 4000 } }));
    proxy.now('silence');
    const running = host.testbed.exec(['true']);
    running.catch(() => {});
    await host.log.first('command.assigned');
    clock.advance(4000);
    await expect(running).rejects.toMatchObject({
      cause: { class: 'connection-silent', detail: 'the server did not answer the request for a channel' },
      result: { kind: 'lost', how: 'silent' },
    });
    expect(await host.log.first('deadline.expired')).toMatchObject({ deadline: 'channel', after: 4000 });
  });
});
