import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TestbedError } from '../../src/testbed/index.ts';
import { FaultProxy } from '../support/faultProxy.ts';
import { ManualClock } from '../support/ManualClock.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { existingHost } from './support/existingHost.ts';
import { faultRun } from './support/faultRun.ts';
import { expectFault } from './support/soundness.ts';
import { sessionEnvironment, startSshServer } from './support/sshServer.ts';
import { useTestbed } from './support/usedTestbed.ts';

const MEBIBYTE = 1024 * 1024;
const SIZE = 8 * MEBIBYTE;
/**
 * Far from the start and far from the end of what is copied, and before the window of the channel (RFC 4254, section
 * 5.2) is told anew: a write that meets a reset may take the kernel's word for it away from who reads.
 */
const MIDDLE = MEBIBYTE / 2 + 1;

const COPIES = [
  { what: 'file', direction: 'down', way: 'up' },
  { what: 'file', direction: 'up', way: 'down' },
  { what: 'tree', direction: 'down', way: 'up' },
  { what: 'tree', direction: 'up', way: 'down' },
] as const;

/** What is to be copied, on this machine, which is host and testbed at once. */
function material(what: 'file' | 'tree') {
  const place = workplace();
  const source = join(place, 'source');
  const targets = join(place, 'targets');
  mkdirSync(targets);
  if (what === 'file') {
    writeFileSync(source, Buffer.alloc(SIZE, 'x'));
    return { from: source, to: join(targets, 'target'), targets };
  }
  mkdirSync(source);
  for (let file = 0; file < 64; file += 1) writeFileSync(join(source, `file${file}`), Buffer.alloc(SIZE / 64, 'x'));
  return { from: `${source}/`, to: `${join(targets, 'target')}/`, targets };
}

describeWith(['sshd', 'tar'], 'in the middle of a copy', () => {
  test.each(COPIES)('of a $what $direction the connection is reset', async ({ what, direction, way }) => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const proxy = forThisTest(await FaultProxy.to(sshd.address));
    const { from, to, targets } = material(what);
    const used = await useTestbed({
      backend: existingHost(sshd, proxy.address),
      use: async (testbed) => {
        const struck = proxy.after(MIDDLE, way, 'reset-both');
        const copied = direction === 'down' ? testbed.copyDown(from, to) : testbed.copyUp(from, to);
        await expect(copied).rejects.toThrow(TestbedError);
        await struck;
      },
    });
    const events = await expectFault(used.end, {
      class: 'connection-reset',
      phase: 'exec',
      exitCode: 16,
      evidence: ['connection.lost'],
    });
    expect(events.find((event) => event.type === 'copy.failed')).toMatchObject({
      cause: { class: 'connection-reset' },
    });
    // Neither half a file nor what it was gathered in, on the host.
    if (direction === 'up') expect(readdirSync(targets)).toEqual([]);
    else if (what === 'file') expect(existsSync(to)).toBe(false);
  });

  test.each(COPIES)('of a $what $direction the network swallows everything', async ({ what, direction, way }) => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const proxy = forThisTest(await FaultProxy.to(sshd.address));
    const { from, to, targets } = material(what);
    const clock = new ManualClock();
    let struck: Promise<void> | undefined;
    const used = await useTestbed({
      backend: existingHost(sshd, proxy.address),
      clock,
      use: async (testbed) => {
        struck = proxy.after(MIDDLE, way, 'silence');
        await (direction === 'down' ? testbed.copyDown(from, to) : testbed.copyUp(from, to));
      },
      during: async (log) => {
        await log.first('copy.started');
        await struck;
        while (log.all('keepalive.missed').length < 3) clock.advance(5000);
      },
    });
    await expectFault(used.end, {
      class: 'connection-silent',
      phase: 'exec',
      exitCode: 16,
      evidence: ['keepalive.missed', 'keepalive.missed', 'keepalive.missed', 'connection.lost'],
    });
    if (direction === 'up') expect(readdirSync(targets)).toEqual([]);
  });
});

describeWith(['sshd', 'tar'], 'a connection that is reset while the runner copies', () => {
  test('the tree: the run says so', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const proxy = forThisTest(await FaultProxy.to(sshd.address));
    const run = await faultRun({
      backend: existingHost(sshd, proxy.address),
      package: { tests: { smoke: 'true' }, files: { large: Buffer.alloc(SIZE) } },
      during: async (log) => {
        await log.first('copy.started');
        await proxy.after(MIDDLE, 'up', 'reset-both');
      },
    });
    await expectFault(run.report, {
      class: 'connection-reset',
      phase: 'exec',
      exitCode: 16,
      evidence: ['connection.lost'],
    });
    expect(run.summary).toMatch(/^testbed failure: connection reset while keeping the connection: /);
  });

  test('artifacts: half of them are not there', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const proxy = forThisTest(await FaultProxy.to(sshd.address));
    const run = await faultRun({
      backend: existingHost(sshd, proxy.address),
      package: { tests: { smoke: `head -c ${SIZE} /dev/zero >"$AUTOPKGTEST_ARTIFACTS/large"` } },
      during: async (log) => {
        await log.first('test.judged');
        await log.first('copy.started', ({ direction }) => direction === 'up');
        await proxy.after(MIDDLE, 'down', 'reset-both');
      },
    });
    await expectFault(run.report, {
      class: 'connection-reset',
      phase: 'exec',
      exitCode: 16,
      evidence: ['connection.lost'],
    });
    expect(readdirSync(join(run.outputDir, 'artifacts'), { recursive: true })).toEqual(['smoke']);
    expect(run.summary).toMatch(/^smoke +PASS\ntestbed failure: connection reset /);
  });
});
