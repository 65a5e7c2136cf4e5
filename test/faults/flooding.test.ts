import { createReadStream, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Cli } from '../e2e/support/cli.ts';
import { describeWith } from '../support/needs.ts';
import { makePackage } from '../support/packages.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { readAll } from './support/soundness.ts';
import { sessionEnvironment, startSshServer } from './support/sshServer.ts';

const GIBIBYTE = 1024 ** 3;
/** What the trace keeps of a stream. */
const KEPT = 64 * 1024 ** 2;
/** Far less than what is printed, also where the kernel's and Node's own buffers are counted. */
const MEMORY = 512 * 1024 ** 2;

describeWith(['sshd', 'proc'], 'a test that prints a gibibyte', () => {
  test('passes: its output is complete, the trace cut off, and the memory of Trundle small', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const place = workplace();
    const output = join(place, 'output');
    // Ours to remove even where the test fails before its end: it is large.
    onTestFinished(() => rmSync(output, { recursive: true, force: true }));
    const source = makePackage(place, { tests: { flood: 'exec head -c 1G /dev/zero' } });
    const { host, port } = sshd.address;
    const backend = ['ssh', '--hostname', host, '--port', String(port), '--login', sshd.login];
    const trust = ['--identity', sshd.identity, '--host-key', sshd.hostKey, '--no-agent'];
    const running = new Cli(['run', '-o', output, '--log-file', '/dev/null', source, '--', ...backend, ...trust], {
      env: { NODE_OPTIONS: '--max-old-space-size=128', XDG_STATE_HOME: join(place, 'state') },
      stdout: openSync('/dev/null', 'w'),
    });
    await running.says('test flood: [---');
    const { pid } = running.process;
    let peak = 0;
    running.process.stderr?.on('data', () => {
      peak = Math.max(peak, peakMemory(pid ?? 0));
    });
    const { status, stderr } = await running.ended;
    expect([status, stderr.includes('flood')]).toEqual([0, true]);
    expect(readFileSync(join(output, 'summary'), 'utf8')).toBe('flood                PASS\n');
    expect(statSync(join(output, 'flood-stdout')).size).toBe(GIBIBYTE);
    expect(await onlyZeros(join(output, 'flood-stdout'))).toBe(true);
    // Told while the test's last words were printed, when all of the gibibyte had gone through.
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(MEMORY);

    const { events } = await readAll(join(output, 'trace'));
    const started = events.find((event) => event.type === 'test.started');
    const stream = `${started?.command}.stdout`;
    expect(events.filter((event) => event.type === 'stream.truncated')).toMatchObject([{ stream, limit: KEPT }]);
    expect(statSync(join(output, 'trace/streams', stream)).size).toBe(KEPT);
    expect(events.at(-1)).toMatchObject({ type: 'run.concluded', exitCode: 0, cause: null });
  });
});

/** The most memory that a process has had at once, in bytes (proc(5), VmHWM); 0 where it is gone. */
function peakMemory(pid: number): number {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}

async function onlyZeros(file: string): Promise<boolean> {
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    const bytes = chunk as Buffer;
    // Equal to itself shifted by one, and zero at the start: zero throughout.
    if (bytes[0] !== 0 || !bytes.subarray(1).equals(bytes.subarray(0, -1))) return false;
  }
  return true;
}
