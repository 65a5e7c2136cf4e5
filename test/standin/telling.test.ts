import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/events/index.ts';
import type { End, Launched } from '../../src/standin/launching/contract.ts';
import { teller, toldBy } from '../../src/standin/launching/telling.ts';
import { describeWith, findProgram } from '../support/needs.ts';

const WORD = 'trundle-4711';

describeWith(['perl'], 'a teller', () => {
  test.each([
    ['exit 0', 0, null],
    ['exit 143', 143, null],
    ['exit 255', 255, null],
    ['kill -TERM $$', null, 'SIGTERM'],
    ['kill -INT $$', null, 'SIGINT'],
    ['kill -KILL $$', null, 'SIGKILL'],
  ])('tells the end of %s as it was', async (line, status, signal) => {
    const { end, stderr } = await run(teller(findProgram('perl'), WORD), line);
    expect({ end, stderr }).toEqual({ end: { status, signal }, stderr: '' });
  });

  test('says why a program does not start, and 127', async () => {
    const { end, stderr } = await run([...teller(findProgram('perl'), WORD), '/no/such/program'], 'true');
    expect({ end, stderr }).toEqual({
      end: { status: 127, signal: null },
      stderr: 'trundle: /no/such/program: No such file or directory\n',
    });
  });

  test('that is killed leaves the end untold', async () => {
    const { end } = await run(teller(findProgram('perl'), WORD), 'kill -KILL $PPID');
    expect(end).toEqual({ status: null, signal: 'SIGKILL', untold: true });
  });
});

describeWith(['perl', 'root'], 'a teller whose pipes are not its own', () => {
  // As in a container that has no id for whoever made them.
  const as = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...teller(findProgram('perl'), WORD)];
  const through = (line: string, before = ':', after = 'cat') =>
    execFileSync('sh', ['-c', `(${before}) | "$@" 2>&1 | (${after})`, 'sh', ...as, '/bin/sh', '-c', line], {
      encoding: 'latin1',
      maxBuffer: 64 * 1024 * 1024,
    });

  test('gives a command some that it can open by name', () => {
    const line = 'cat /dev/stdin >/dev/stdout; echo wrong >/dev/stderr; kill -TERM $$';
    expect(through(line, 'echo right')).toMatch(new RegExp(`^right\\nwrong\\n${WORD} 15\\n$`));
  });

  test('hands on every byte, both ways at once', () => {
    const sum = createHash('sha256').update(Buffer.alloc(5_000_001)).digest('hex');
    const said = through('tee /dev/stderr 2>/dev/null | sha256sum; exit 3', 'head -c 5000001 /dev/zero');
    expect(said).toBe(`${sum}  -\n${WORD} 768\n`);
    expect(through('head -c 3000000 /dev/zero', 'head -c 3000000 /dev/zero').length).toBe(
      3_000_000 + `${WORD} 0\n`.length,
    );
  });

  test('ends with its command, whoever still holds the pipes, and whoever does not read', () => {
    expect(through('yes & exit 7', 'yes', `grep -ao '${WORD} .*'`)).toBe(`${WORD} 1792\n`);
    expect(through('yes; exit 7', 'yes', 'head -n 1')).toBe('y\n');
  });
});

test('a teller without a perl tells a signal as a shell does', async () => {
  expect((await run(teller(null, WORD), 'echo e >&2; exit 7')).end).toEqual({ status: 7, signal: null });
  const { end, stderr } = await run(teller(null, WORD), 'echo e >&2; kill -TERM $$');
  expect({ end, stderr }).toEqual({ end: { status: 143, signal: null }, stderr: 'e\n' });
});

test('an end is read wherever the stream is cut, and all else is left as it is', async () => {
  const whole = `before trundle-${WORD} 256\nafter tru`;
  for (let cut = 0; cut <= whole.length; cut += 1) {
    const { told, source } = fromStream();
    source.write(whole.slice(0, cut));
    source.end(whole.slice(cut));
    const [text, end] = [(await told.stderr.toArray()).join(''), await told.ended];
    expect({ text, end }).toEqual({ text: 'before trundle-after tru', end: { status: 1, signal: null } });
  }
});

test('a stream that is over, or is destroyed, without the word tells of no end', async () => {
  const over = fromStream();
  over.source.end('docker: error during connect\n');
  expect((await over.told.stderr.toArray()).join('')).toBe('docker: error during connect\n');
  expect(await over.told.ended).toEqual({ status: 77, signal: null, untold: true });
  const destroyed = fromStream();
  destroyed.told.stderr.on('error', () => {});
  destroyed.told.stderr.destroy();
  expect(await destroyed.told.ended).toMatchObject({ untold: true });
  if (!destroyed.source.destroyed) await once(destroyed.source, 'close');
});

test('where no daemon stands between, a way in that says nothing tells the end itself', async () => {
  const source = new PassThrough();
  const ended = Promise.resolve({ status: 77, signal: null });
  const told = toldBy(WORD, launched(source, ended), false, systemClock);
  source.end('last words\n');

  expect((await told.stderr.toArray()).join('')).toBe('last words\n');
  expect(await told.ended).toEqual({ status: 77, signal: null });
});

test('a client of a daemon that could not start the teller is believed', async () => {
  const source = new PassThrough();
  const told = toldBy(WORD, launched(source, Promise.resolve({ status: 126, signal: null })), true, systemClock);
  source.end('not executable\n');

  expect((await told.stderr.toArray()).join('')).toBe('not executable\n');
  expect(await told.ended).toEqual({ status: 126, signal: null });
});

test('a client that does not end after its command is ended once it brings nothing more, and its command believed', async () => {
  const client = spawn('sh', ['-c', `echo "${WORD} 768" >&2; exec sleep 1000`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const ended = once(client, 'exit').then(([status, signal]) => ({ status, signal }) as End);
  const passes: (() => void)[] = [];
  let began = () => {};
  const waits = new Promise<void>((resolve) => {
    began = resolve;
  });
  const clock: Clock = {
    now: () => 0,
    after(_ms, callback) {
      passes.push(callback);
      began();
    },
    clear: () => {},
  };
  const stdout = Object.assign(new PassThrough(), { bytesRead: 0 });
  const told = toldBy(WORD, { ...launched(client.stderr, ended), pid: client.pid ?? 0, stdout }, true, clock);
  told.stderr.resume();
  await waits;
  stdout.bytesRead = 1;
  passes[0]?.();
  // Somebody takes long to take what it brought.
  stdout.pause();
  passes[1]?.();
  expect(client.signalCode).toBeNull();
  stdout.resume();
  passes[2]?.();
  expect(await told.ended).toEqual({ status: 3, signal: null });
  expect(client.signalCode).toBe('SIGKILL');
});

/** What is told of a way in that ended with 77. */
function fromStream(): { told: Launched; source: PassThrough } {
  const source = new PassThrough();
  const ended = Promise.resolve({ status: 77, signal: null });
  return { told: toldBy(WORD, launched(source, ended), true, systemClock), source };
}

async function run(prefix: readonly string[], line: string): Promise<{ end: End; stderr: string }> {
  const [program = '', ...args] = [...prefix, '/bin/sh', '-c', line];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit').then(([status, signal]) => ({ status, signal }) as End);
  const told = toldBy(WORD, launched(child.stderr, ended), true, systemClock);
  return { stderr: (await told.stderr.toArray()).join(''), end: await told.ended };
}

function launched(stderr: NodeJS.ReadableStream, ended: Promise<End>): Launched {
  const none = new PassThrough();
  return { pid: 0, stdin: none, stdout: none, stderr: stderr as PassThrough, ended };
}
