import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { configureBackend } from '../../src/backends/index.ts';
import { openTestbed, type Testbed, TestbedError } from '../../src/testbed/index.ts';
import { startSshServer } from '../faults/support/sshServer.ts';
import { EventLog } from '../support/eventLog.ts';
import { makeLifeline } from '../support/lifeline.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { holdAt } from './support/held.ts';

const INTERRUPTED = { name: 'TestbedError', cause: { class: 'operator-interrupted' } };

async function opened(words = ['null']): Promise<{ testbed: Testbed; log: EventLog }> {
  let log: EventLog | undefined;
  const testbed = forThisTest(
    await openTestbed(await configureBackend(words), {
      onRun: (run) => {
        log = new EventLog(run.events$);
      },
    }),
  );
  if (log === undefined) throw new Error('there was no run');
  return { testbed, log };
}

test.each(['create', 'start', 'endpoint'] as const)(
  'while %s is under way, an abort ends the opening',
  async (verb) => {
    const { backend, reached, called } = await holdAt(verb);
    const aborter = new AbortController();
    const opening = openTestbed(backend, { signal: aborter.signal });
    await reached;
    aborter.abort(new Error('changed my mind'));
    await expect(opening).rejects.toMatchObject(INTERRUPTED);
    await expect(opening).rejects.toThrow(/changed my mind/);
    expect(called.at(-1)).toBe('destroy');
  },
);

test('an abort of the testbed ends the commands in it, and closes it', async () => {
  const aborter = new AbortController();
  const lifeline = forThisTest(makeLifeline(workplace()));
  await using testbed = await openTestbed(await configureBackend(['null']), { signal: aborter.signal });
  const running = testbed.exec(lifeline.linger);
  const refused = expect(running).rejects.toBeInstanceOf(TestbedError);
  await lifeline.held;
  aborter.abort(new Error('enough'));
  await refused;
  await lifeline.released;
  await testbed.close();
});

test('exec', async () => {
  const { testbed } = await opened();
  const lifeline = forThisTest(makeLifeline(workplace()));
  const aborter = new AbortController();
  const running = testbed.exec(lifeline.linger, { signal: aborter.signal });
  const refused = expect(running).rejects.toMatchObject({ ...INTERRUPTED, result: { kind: 'cancelled' } });
  await lifeline.held;
  aborter.abort(new Error('enough'));
  await refused;
  await lifeline.released;
  expect(await testbed.exec(['true'])).toMatchObject({ status: 0 });
});

test('start tells it as the end of the command, and throws nothing', async () => {
  const { testbed, log } = await opened();
  const aborter = new AbortController();
  const running = testbed.start(['sleep', '1000000'], { signal: aborter.signal });
  await log.first('command.started');
  aborter.abort(new Error('enough'));
  expect(await running.ended).toMatchObject({ result: { kind: 'cancelled' } });
  expect(log.all('cancel.requested')).toMatchObject([{ reason: 'enough', command: running.command }]);
});

test.each(['down', 'up'] as const)('a copy %s, which leaves nothing behind', async (direction) => {
  const { testbed } = await opened();
  const [from, to] = [workplace(), workplace()];
  writeFileSync(join(from, 'big'), Buffer.alloc(64 * 1024 * 1024));
  const aborter = new AbortController();
  const options = { signal: aborter.signal, onProgress: () => aborter.abort(new Error('stop')) };
  const copy = direction === 'down' ? 'copyDown' : 'copyUp';
  const copying = testbed[copy](join(from, 'big'), join(to, 'big'), options);
  await expect(copying).rejects.toMatchObject(INTERRUPTED);
  expect(readdirSync(to)).toEqual([]);
  expect(await testbed.exec(['true'])).toMatchObject({ status: 0 });
});

describeWith(['node-pty'], 'an abort ends', () => {
  test('a shell', async () => {
    const { testbed } = await opened();
    const lifeline = forThisTest(makeLifeline(workplace()));
    const aborter = new AbortController();
    const stdout = new PassThrough();
    stdout.resume();
    const ended = testbed.shell({
      stdin: new PassThrough(),
      stdout,
      size: { columns: 80, rows: 24 },
      line: lifeline.linger,
      signal: aborter.signal,
    });
    await lifeline.held;
    aborter.abort(new Error('enough'));
    expect(await ended).toMatchObject({ result: { kind: 'cancelled' } });
    await lifeline.released;
  });
});

test.each([
  ['reboot', 'restart'],
  ['revert', 'reset'],
] as const)('a %s, with the testbed: nobody knows what it is in the middle of it', async (what, verb) => {
  const { backend, reached, called } = await holdAt(verb);
  await using testbed = await openTestbed(backend);
  const aborter = new AbortController();
  const under = testbed[what]({ signal: aborter.signal });
  const refused = expect(under).rejects.toMatchObject(INTERRUPTED);
  await reached;
  aborter.abort(new Error('not now'));
  await refused;
  await testbed.close();
  expect(called.slice(-3)).toEqual([verb, 'stop', 'destroy']);
});

describeWith(['sshd'], 'an abort ends', () => {
  test('a forward: its listener and what goes through it', async () => {
    const server = forThisTest(await startSshServer());
    const way = ['--hostname', server.address.host, '--port', String(server.address.port)];
    const words = ['ssh', ...way, '--identity', server.identity, '--no-agent', '--host-key', server.hostKey];
    const { testbed, log } = await opened(words);
    const there = createServer((socket) => void socket.on('error', () => {}).write('hello')).listen(0, '127.0.0.1');
    await once(there, 'listening');
    forThisTest({ [Symbol.dispose]: () => void there.close() });
    const to = { host: '127.0.0.1', port: (there.address() as AddressInfo).port };
    const aborter = new AbortController();
    const { signal } = aborter;
    const { listening } = await testbed.forward('local', { host: '127.0.0.1', port: 0 }, to, { signal });
    const socket = connect(listening);
    await once(socket, 'data');
    const gone = once(socket, 'close');
    aborter.abort(new Error('enough'));
    await gone;
    await log.first('forward.closed');
    await expect(once(connect(listening), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

test('a forward that was never wanted', async () => {
  const { testbed } = await opened();
  const anywhere = { host: '127.0.0.1', port: 0 };
  const forward = testbed.forward(
    'local',
    anywhere,
    { ...anywhere, port: 9 },
    { signal: AbortSignal.abort(new Error('no')) },
  );
  await expect(forward).rejects.toMatchObject(INTERRUPTED);
});
