import { createHash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { TestbedError } from '../../../src/testbed/index.ts';
import type { Contract } from '../support/contract.ts';
import { makeMark, processesWith } from '../support/marks.ts';

/** Every byte that an argument can hold and UTF-8 allows, and words that shells, printf or echo could take wrongly. */
const NASTY = [
  '',
  ' ',
  'a b',
  "it's",
  '"',
  '\\',
  '\\n',
  '$HOME',
  '$(id)',
  '`id`',
  '*',
  '?',
  '[a-z]',
  '~',
  '!!',
  '#',
  '-n',
  '--',
  '-',
  '&',
  '|',
  ';',
  '<>',
  '(',
  '{a,b}',
  '%s%n',
  'A=1',
  '\n',
  'two\nlines\n',
  '\t',
  '\r',
  '\u0001\u001b[31m\u007f',
  'ä€𝄞',
  '\u202e',
  "'\\''",
  Array.from({ length: 127 }, (_, code) => String.fromCharCode(code + 1)).join(''),
  'x'.repeat(100_000),
];

export function exec(contract: Contract): void {
  test('hands over arguments exactly as they are', async () => {
    const { status, stdout } = await contract.testbed.exec(['sh', '-c', 'printf "%s\\0" "$@"', 'sh', ...NASTY]);
    expect(status).toBe(0);
    expect(stdout.split('\0').slice(0, -1)).toEqual(NASTY);
  });

  test('takes a single string as a line for /bin/sh', async () => {
    const { stdout } = await contract.testbed.exec('for n in 1 2 3; do echo $((n * n)); done | tail -n 2');
    expect(stdout).toBe('4\n9\n');
  });

  test('adds variables to the environment, whatever they hold', async () => {
    const env = Object.fromEntries(NASTY.slice(0, -1).map((value, index) => [`NASTY_${index}`, value]));
    const { stdout } = await contract.testbed.exec(['env', '-0'], { env });
    const seen = new Map(
      stdout.split('\0').map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
    );
    for (const [name, value] of Object.entries(env)) expect(seen.get(name), name).toBe(value);
  });

  test('runs in the directory asked for, and in the home directory otherwise', async () => {
    expect((await contract.testbed.exec(['pwd'], { cwd: '/usr/bin' })).stdout).toMatch(/^(\/usr)?\/bin\n$/);
    expect((await contract.testbed.exec('test "$PWD" -ef "$HOME"')).status).toBe(0);
  });

  test('says 127 for a directory or a program that is not there', async () => {
    expect(await contract.testbed.exec(['true'], { cwd: '/no/such/place' })).toMatchObject({ status: 127 });
    expect(await contract.testbed.exec(['no-such-program-anywhere'])).toMatchObject({ status: 127 });
  });

  test('passes stdin on to its end, and gives none where there is none', async () => {
    const bytes = randomBytes(300_000);
    const sum = createHash('sha256').update(bytes).digest('hex');
    expect((await contract.testbed.exec(['sha256sum'], { stdin: bytes })).stdout).toBe(`${sum}  -\n`);
    expect((await contract.testbed.exec(['cat'])).stdout).toBe('');
  });

  test('goes on where a command does not read its stdin', async () => {
    const stdin = Buffer.alloc(4 * 1024 * 1024, 'x');
    expect(await contract.testbed.exec(['true'], { stdin })).toMatchObject({ status: 0 });
    expect(await contract.testbed.exec(['head', '-c', '3'], { stdin })).toMatchObject({ status: 0, stdout: 'xxx' });
  });

  test('tells every exit status from 0 to 255', async () => {
    const all = Array.from({ length: 256 }, (_, status) => status);
    const seen: (number | null)[] = [];
    for (let at = 0; at < all.length; at += 16) {
      const some = all.slice(at, at + 16).map((status) => contract.testbed.exec(`exit ${status}`));
      seen.push(...(await Promise.all(some)).map(({ status }) => status));
    }
    expect(seen).toEqual(all);
  });

  test.each(['HUP', 'INT', 'QUIT', 'ILL', 'ABRT', 'FPE', 'KILL', 'SEGV', 'PIPE', 'ALRM', 'TERM', 'USR1', 'USR2'])(
    'tells that SIG%s ended a command',
    async (signal) => {
      const result = await contract.testbed.exec(`kill -${signal} $$`);
      expect(result).toMatchObject({ status: null, signal });
    },
  );

  test('keeps stdout and stderr apart, and every byte as it is', async () => {
    const script = `printf '${Array.from({ length: 256 }, (_, byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}'`;
    const running = contract.testbed.start(`{ ${script}; } >&2; ${script}`);
    const outputs = await Promise.all([buffer(running.stdout), buffer(running.stderr)]);
    const everyByte = Array.from({ length: 256 }, (_, byte) => byte);
    expect(outputs.map((bytes) => [...bytes])).toEqual([everyByte, everyByte]);
    expect((await running.ended).result).toEqual({ kind: 'exited', status: 0 });
  });

  test('brings over eight megabytes of output to the byte', async () => {
    const line = 'f=$(mktemp) && head -c 8388608 /dev/urandom >$f && cat $f && sha256sum <$f >&2; rm $f';
    const running = contract.testbed.start(line);
    const [stdout, stderr] = await Promise.all([buffer(running.stdout), buffer(running.stderr)]);
    expect(stdout.length).toBe(8_388_608);
    expect(stderr.toString()).toBe(`${createHash('sha256').update(stdout).digest('hex')}  -\n`);
  });

  test('refuses an argument of a megabyte with words, and goes on', async () => {
    const refused = contract.testbed.exec(['true', 'x'.repeat(1024 * 1024)]);
    await expect(refused).rejects.toBeInstanceOf(TestbedError);
    await expect(refused).rejects.toThrow(/too long/i);
    expect(await contract.testbed.exec(['true'])).toMatchObject({ status: 0 });
  });

  test('refuses what no command line can hold, and goes on', async () => {
    await expect(contract.testbed.exec(['true', 'a\0b'])).rejects.toThrow(/NUL/);
    await expect(contract.testbed.exec([])).rejects.toThrow(/no program/);
    await expect(contract.testbed.exec(['true'], { env: { 'A-B': '1' } })).rejects.toThrow(/A-B/);
    expect(await contract.testbed.exec(['true'])).toMatchObject({ status: 0 });
  });

  test('ends a command that takes too long, with all of its process group', async () => {
    const mark = makeMark();
    const line = `sleep ${mark} & (trap "" TERM; sleep ${mark}; sleep ${mark})`;
    await expect(contract.testbed.exec(line, { timeout: 1000 })).rejects.toMatchObject({
      result: { kind: 'timed-out' },
      cause: { class: 'deadline-expired' },
    });
    expect(processesWith(mark)).toEqual([]);
    expect(await contract.testbed.exec(['true'])).toMatchObject({ status: 0 });
  });
}
