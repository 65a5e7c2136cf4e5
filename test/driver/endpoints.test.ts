import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { configureBackend } from '../../src/backends/index.ts';
import { lossOf, openSocket } from '../../src/driver/socket.ts';
import type { ReachableEndpoint } from '../../src/events/index.ts';
import { statOf } from '../../src/trace/owner.ts';
import { startSshServer } from '../faults/support/sshServer.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { beginHost, endpointOf, hostAt, type OpenHost, openHost } from './support/openHost.ts';
import { peerInThread } from './support/peerInThread.ts';
import { sshdPerConnection } from './support/sshdPerConnection.ts';

describeWith(['sshd'], 'an SSH server', () => {
  test('is reached over TCP', async () => {
    const sshd = forThisTest(await startSshServer());
    const host = forThisTest(await openHost(hostAt(endpointOf(sshd))));
    await works(host);
    expect((await host.log.first('dial.started')).address).toBe(`${sshd.address.host}:${sshd.address.port}`);
  });

  test('is reached over a Unix socket', async () => {
    const sshd = forThisTest(sshdPerConnection());
    const path = await sshd.listen();
    const host = forThisTest(await openHost(hostAt({ ...sshd.endpoint, via: { kind: 'unix', path } })));
    await works(host);
    expect((await host.log.first('dial.started')).address).toBe(path);
  });

  test('is reached through the stdin and stdout of a program', async () => {
    const sshd = forThisTest(sshdPerConnection());
    const host = forThisTest(await openHost(hostAt({ ...sshd.endpoint, via: { kind: 'process', argv: sshd.argv } })));
    await works(host);
    // Each connection is a program of its own, and ends with it.
    await Promise.all(Array.from({ length: 20 }, () => host.testbed.exec(['true'])));
    await host.testbed.close();
    expect(host.log.all('connection.failed')).toEqual([]);
  });

  test('that is a program is out of reach of a Ctrl-C, which is for the run', async () => {
    const sshd = forThisTest(sshdPerConnection());
    const file = join(workplace(), 'pid');
    const argv = ['/bin/sh', '-c', `echo $$ >'${file}'; exec "$@"`, 'sh', ...sshd.argv];
    const host = forThisTest(await openHost(hostAt({ ...sshd.endpoint, via: { kind: 'process', argv } })));
    await works(host);
    const pid = Number(readFileSync(file, 'utf8'));
    // Who is in the group of the terminal's foreground gets the signal: this process's group, or the runner's.
    expect(statOf(pid)?.processGroup).toBe(pid);
  });

  test('that is a program tells what that said when it ends', async () => {
    const sshd = forThisTest(sshdPerConnection());
    const argv = ['/bin/sh', '-c', 'echo "no image of that name" >&2; exit 3'];
    const { run, log, opening } = beginHost(hostAt({ ...sshd.endpoint, via: { kind: 'process', argv } }), {
      deadlines: { 'ssh-ready': 1000, redial: 50 },
    });
    await expect(opening).rejects.toMatchObject({ cause: { class: 'connection-closed', phase: 'ssh-ready' } });
    const failed = await log.first('dial.failed');
    expect(failed).toMatchObject({
      how: 'closed',
      failure: { message: expect.stringContaining('no image of that name') },
    });
    await run.close();
  });

  test.each<{ what: string; via: ReachableEndpoint['via'] }>([
    { what: 'a program that is not there', via: { kind: 'process', argv: ['/no/such/sshd'] } },
    { what: 'a socket that is not there', via: { kind: 'unix', path: '/no/such/socket' } },
  ])('that is $what is refused at last', async ({ via }) => {
    const sshd = forThisTest(sshdPerConnection());
    const { run, log, opening } = beginHost(hostAt({ ...sshd.endpoint, via }), {
      deadlines: { 'ssh-ready': 500, redial: 50 },
    });
    await expect(opening).rejects.toMatchObject({ cause: { class: 'connection-refused', phase: 'ssh-ready' } });
    const failed = await log.first('dial.failed');
    expect(failed).toMatchObject({ how: 'refused', stage: 'connect', failure: { code: 'ENOENT' } });
    expect(failed.failure.message).toContain('/no/such');
    await run.close();
  });

  test('of a name that nobody knows is unreachable', async () => {
    const sshd = forThisTest(sshdPerConnection());
    const via = { kind: 'tcp', host: 'no-such-host.invalid', port: 22 } as const;
    const { run, opening } = beginHost(hostAt({ ...sshd.endpoint, via }), {
      deadlines: { 'ssh-ready': 500, redial: 50 },
    });
    await expect(opening).rejects.toMatchObject({
      cause: { class: 'connection-unreachable', detail: expect.stringContaining('no-such-host.invalid') },
    });
    await run.close();
  });
});

describeWith(['sshd'], 'a TCP socket of the driver', () => {
  test('sends what it has at once, without waiting for more', async () => {
    const sshd = forThisTest(await startSshServer());
    const { stream, connected } = await openSocket(endpointOf(sshd) as ReachableEndpoint);
    await connected;
    // Node keeps what it told the kernel under a symbol of this name.
    const [told] = Object.getOwnPropertySymbols(stream).filter(({ description }) => description === 'kSetNoDelay');
    expect(told && (stream as Socket & Record<symbol, unknown>)[told]).toBe(true);
    stream.destroy();
  });
});

describe('a TCP peer that goes while this side is busy', () => {
  test.each([
    { how: 'resets the connection', last: 'socket.resetAndClosing = true; socket.destroy()', loss: 'reset' },
    { how: 'ends the connection', last: 'socket.destroy()', loss: null },
  ])('and $how is told by what it did', async ({ last, loss }) => {
    const peer = forThisTest(await peerInThread(last));
    const { stream, connected } = await openSocket({ via: { kind: 'tcp', ...peer.address } } as ReachableEndpoint);
    await connected;
    const errors: unknown[] = [];
    stream.on('error', (error) => errors.push(error)).resume();
    const closed = new Promise((resolve) => stream.once('close', resolve));
    // The last bytes and the end stand in the kernel before this side looks at either.
    peer.goAndWait();
    await closed;
    expect(errors.map(lossOf)).toEqual(loss === null ? [] : [loss]);
  });
});

test('a server in memory is reached without any socket', async () => {
  const host = forThisTest(await openHost(await configureBackend(['null'])));
  expect((await host.log.first('dial.started')).address).toMatch(/^memory:/);
  expect(host.testbed.endpoint).toMatchObject({ via: { kind: 'memory' }, server: 'stand-in' });
});

/** Bytes come back as they went, and the testbed closes in order. */
async function works({ testbed, log }: OpenHost): Promise<void> {
  const bytes = randomBytes(2_000_000);
  const running = testbed.start(['cat'], { stdin: bytes });
  running.stderr.resume();
  expect((await buffer(running.stdout)).equals(bytes)).toBe(true);
  expect((await running.ended).result).toEqual({ kind: 'exited', status: 0 });
  expect(log.all('hostkey.verified').length).toBeGreaterThan(0);
}
