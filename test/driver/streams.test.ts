import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { onEveryServer } from './support/openHost.ts';

const MIB = 1024 * 1024;
/** Bytes that may be under way to a reader that does not read: the channel's window, and what streams hold. */
const UNDER_WAY = 8 * MIB;

onEveryServer('the stdin of a command', [], (host) => {
  test('is at its end where nobody gave one', async () => {
    expect(await host.testbed.exec('wc -c')).toMatchObject({ status: 0, stdout: '0\n' });
  });

  test('takes every byte', async () => {
    const every = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256));
    const running = host.testbed.start(['cat'], { stdin: every });
    running.stderr.resume();
    expect(await buffer(running.stdout)).toEqual(every);
  });

  test('takes a stream as it comes, and answers go out meanwhile', async () => {
    const stdin = new Readable({ read() {} });
    const running = host.testbed.start(['cat'], { stdin });
    running.stderr.resume();
    for (const line of ['one\n', 'two\n', 'three\n']) {
      stdin.push(line);
      const [answer] = await once(running.stdout, 'data');
      expect(String(answer)).toBe(line);
    }
    stdin.push(null);
    expect((await running.ended).result).toEqual({ kind: 'exited', status: 0 });
  });

  test('need not be read to its end', async () => {
    const stdin = Readable.from(endless(), { objectMode: false });
    expect(await host.testbed.exec(['head', '-c', '3'], { stdin })).toMatchObject({ status: 0, stdout: 'xxx' });
    expect(await host.testbed.exec('exit 7', { stdin: Buffer.alloc(4 * MIB) })).toMatchObject({ status: 7 });
  });

  test('that cannot be read is not taken for one that has ended', async () => {
    const stdin = new Readable({ read() {} });
    const running = host.testbed.start('cat; echo took it for the end', { stdin });
    running.stderr.resume();
    stdin.push('some\n');
    await once(running.stdout, 'data');
    const rest = text(running.stdout);
    stdin.destroy(new Error('the disk is broken'));
    expect((await running.ended).result).toEqual({ kind: 'cancelled' });
    expect(await rest).toBe('');
    const cancelled = await host.log.first('cancel.requested', ({ command }) => command === running.command);
    expect(cancelled.reason).toBe('reading its stdin failed: the disk is broken');
  });

  test('takes 64 MiB unchanged', async () => {
    const block = randomBytes(MIB);
    const hash = createHash('sha256');
    const stdin = Readable.from(
      (function* () {
        for (let count = 0; count < 64; count += 1) {
          hash.update(block);
          yield block;
        }
      })(),
      { objectMode: false },
    );
    const { stdout } = await host.testbed.exec(['sha256sum'], { stdin });
    expect(stdout).toBe(`${hash.digest('hex')}  -\n`);
  });
});

onEveryServer('the output of a command', [], (host) => {
  test('comes while the command runs, stdout and stderr apart', async () => {
    const stdin = new Readable({ read() {} });
    const running = host.testbed.start('echo out; echo err >&2; read -r go; echo "$go"', { stdin });
    const [[out], [err]] = await Promise.all([once(running.stdout, 'data'), once(running.stderr, 'data')]);
    expect([String(out), String(err)]).toEqual(['out\n', 'err\n']);
    stdin.push('on\n');
    stdin.push(null);
    expect(await text(running.stdout)).toBe('on\n');
  });

  test('waits where nobody reads it, and holds up no other command', async () => {
    const unread = host.testbed.start('head -c 200M /dev/zero');
    unread.stderr.resume();
    let arrived = 0;
    await host.log.first('command.output', (event) => {
      if (event.command === unread.command) arrived = event.offset + event.bytes;
      return arrived > MIB;
    });
    // Much more than may be under way goes by on another channel.
    const other = host.testbed.start('head -c 64M /dev/zero');
    other.stderr.resume();
    expect(await lengthOf(other.stdout)).toBe(64 * MIB);
    const told = host.log.all('command.output').filter(({ command }) => command === unread.command);
    expect(told.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(UNDER_WAY);
    expect(await lengthOf(unread.stdout)).toBe(200 * MIB);
    expect((await unread.ended).result).toEqual({ kind: 'exited', status: 0 });
  });

  test('is never held in memory beyond a few megabytes, however slowly it is read', async () => {
    const running = host.testbed.start('head -c 200M /dev/zero');
    running.stderr.resume();
    let arrived = 0;
    const telling = host.testbed.events$.subscribe((event) => {
      if (event.type === 'command.output' && event.command === running.command) arrived += event.bytes;
    });
    let read = 0;
    let most = 0;
    for await (const chunk of running.stdout as AsyncIterable<Buffer>) {
      read += chunk.length;
      most = Math.max(most, arrived - read);
      await new Promise(setImmediate);
    }
    telling.unsubscribe();
    expect(read).toBe(200 * MIB);
    expect(most).toBeLessThan(UNDER_WAY);
  });

  test('that nobody wants any more does not keep the command', async () => {
    const running = host.testbed.start('head -c 32M /dev/zero; exit 4');
    running.stderr.resume();
    running.stdout.once('data', () => running.stdout.destroy());
    expect((await running.ended).result).toEqual({ kind: 'exited', status: 4 });
  });
});

async function lengthOf(stream: Readable): Promise<number> {
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) length += chunk.length;
  return length;
}

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(64 * 1024, 'x');
}
