import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { vacantAddress } from '../support/badServers.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest } from '../support/workplace.ts';
import { openSshd } from './support/openHost.ts';

const ANYWHERE = { host: '127.0.0.1', port: 0 };

describeWith(['sshd'], 'a forward', () => {
  for (const direction of ['local', 'remote'] as const) {
    test(`${direction}: bytes go both ways, and each side may end its half first`, async () => {
      const { testbed } = await openSshd();
      // It answers only once it has heard all: a half that is closed must not close the other.
      const target = await serverThat(async (socket) => {
        const hash = createHash('sha256');
        socket.on('data', (chunk) => hash.update(chunk)).on('end', () => socket.end(hash.digest('hex')));
      });
      const forward = await testbed.forward(direction, ANYWHERE, target);
      for (const size of [0, 1, 3_000_000]) {
        const bytes = randomBytes(size);
        const socket = connect({ ...forward.listening, allowHalfOpen: true });
        socket.end(bytes);
        expect((await buffer(socket)).toString()).toBe(createHash('sha256').update(bytes).digest('hex'));
      }
      await forward.close();
    });

    test(`${direction}: what a side said before it went is still heard, however slowly it is read`, async () => {
      const { testbed } = await openSshd();
      const bytes = randomBytes(8_000_000);
      const target = await serverThat(async (socket) => void socket.end(bytes));
      const forward = await testbed.forward(direction, ANYWHERE, target);
      const socket = connect(forward.listening);
      const heard: Buffer[] = [];
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        heard.push(chunk);
        await new Promise(setImmediate);
      }
      expect(Buffer.concat(heard).equals(bytes)).toBe(true);
    });

    test(`${direction}: twenty connections at once`, async () => {
      const { testbed } = await openSshd();
      const target = await serverThat(async (socket) => void socket.pipe(socket));
      const forward = await testbed.forward(direction, ANYWHERE, target);
      const answers = Array.from({ length: 20 }, async (_, number) => {
        const socket = connect({ ...forward.listening, allowHalfOpen: true });
        socket.end(`number ${number}`);
        return (await buffer(socket)).toString();
      });
      expect(await Promise.all(answers)).toEqual(Array.from({ length: 20 }, (_, number) => `number ${number}`));
    });

    test(`${direction}: closing it ends what goes over it, and nobody listens any more`, async () => {
      const { testbed, log } = await openSshd();
      let arrive: (socket: Socket) => void = () => {};
      const arrived = new Promise<Socket>((resolve) => {
        arrive = resolve;
      });
      const target = await serverThat(async (socket) => arrive(socket));
      const forward = await testbed.forward(direction, ANYWHERE, target);
      const socket = connect(forward.listening);
      const ended = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {});
      socket.resume();
      const other = await arrived;
      other.resume();
      const otherEnded = new Promise((resolve) => other.once('end', resolve).once('close', resolve));
      await forward.close();
      await Promise.all([ended, otherEnded]);
      expect(await refusal(forward.listening)).toBe('ECONNREFUSED');
      await forward.close();
      expect(log.all('forward.closed')).toHaveLength(1);
    });

    test(`${direction}: a target that refuses ends the connection, not the forward`, async () => {
      const { testbed } = await openSshd();
      const vacant = forThisTest(await vacantAddress());
      const forward = await testbed.forward(direction, ANYWHERE, vacant.address);
      for (let time = 0; time < 2; time += 1) {
        const socket = connect(forward.listening);
        socket.on('error', () => {});
        expect((await buffer(socket).catch(() => Buffer.alloc(0))).length).toBe(0);
      }
      const target = await serverThat(async (socket) => void socket.end('here I am'));
      await vacant.open(target);
      expect((await buffer(connect(forward.listening))).toString()).toBe('here I am');
    });

    test(`${direction}: a port that is taken is told`, async () => {
      const { testbed, log } = await openSshd();
      const taken = await serverThat(async () => {});
      const forwarding = testbed.forward(direction, taken, taken);
      await expect(forwarding).rejects.toThrow(new RegExp(`${taken.host}:${taken.port}`));
      const failed = await log.first('forward.failed');
      expect(failed.failure.message).toContain(`${taken.host}:${taken.port}`);
      expect(await testbed.exec(['true'])).toMatchObject({ status: 0 });
    });

    test(`${direction}: it ends with the testbed`, async () => {
      const host = await openSshd();
      const target = await serverThat(async () => {});
      const forward = await host.testbed.forward(direction, ANYWHERE, target);
      await host.testbed.close();
      await host.log.first('forward.closed');
      expect(await refusal(forward.listening)).toBe('ECONNREFUSED');
    });
  }

  test('from the testbed is not possible where sshd forbids it', async () => {
    const { testbed } = await openSshd(['AllowTcpForwarding no']);
    const { address } = await vacantAddress();
    await expect(testbed.forward('remote', ANYWHERE, address)).rejects.toThrow(/the testbed will not listen at/);
  });
});

/** A server on the loopback, for the running test, and its address. */
async function serverThat(serve: (socket: Socket) => Promise<void>): Promise<{ host: string; port: number }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    void serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  forThisTest({
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  });
  const { address: host, port } = server.address() as AddressInfo;
  return { host, port };
}

async function refusal(address: { host: string; port: number }): Promise<string | undefined> {
  const socket = connect(address);
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
  return error.code;
}
