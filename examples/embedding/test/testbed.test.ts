import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { configureBackend, openTestbed, runTests, TestbedError } from 'trundle';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** What follows --, as on the command line: any other backend would do. */
const BACKEND = ['null'];

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'embedding-'));
});
afterEach(() => rmSync(place, { recursive: true }));

test('a program runs in a testbed, and what it made comes back', async () => {
  await using testbed = await openTestbed(await configureBackend(BACKEND));
  const { status, stdout } = await testbed.exec(['sort', '-n'], { stdin: '10\n9\n' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '9\n10\n' });

  const made = (await testbed.exec('f=$(mktemp) && date >"$f" && echo "$f"')).stdout.trim();
  await testbed.copyUp(made, join(place, 'made'));
  expect(readFileSync(join(place, 'made'), 'utf8')).not.toBe('');
  await testbed.exec(['rm', made]);
});

test('a command that takes too long is ended, and the events tell so', async () => {
  await using testbed = await openTestbed(await configureBackend(BACKEND));
  const told: string[] = [];
  testbed.events$.subscribe(({ type }) => told.push(type));
  const late = testbed.exec(['sleep', '1000'], { signal: AbortSignal.timeout(200) });
  await expect(late).rejects.toBeInstanceOf(TestbedError);
  await expect(late).rejects.toMatchObject({ cause: { class: 'operator-interrupted' } });
  expect(told).toContain('signal.delivered');
});

// A test of a package may take as long as its tests do.
test('a Debian package passes its tests', { timeout: 60_000 }, async () => {
  cpSync(fileURLToPath(new URL('../hello', import.meta.url)), join(place, 'hello'), { recursive: true });
  const terminal = { stdout: new PassThrough(), stderr: new PassThrough() };
  terminal.stdout.resume();
  terminal.stderr.resume();
  const report = await runTests({
    source: join(place, 'hello'),
    backend: await configureBackend(BACKEND),
    terminal,
    trace: join(place, 'trace'),
  });
  expect(report).toMatchObject({ exitCode: 0, cause: null });
});
