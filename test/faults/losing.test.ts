import { expect, test } from 'vitest';
import { FaultProxy } from '../support/faultProxy.ts';
import { makeLifeline } from '../support/lifeline.ts';
import { ManualClock } from '../support/ManualClock.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { existingHost } from './support/existingHost.ts';
import { faultRun } from './support/faultRun.ts';
import { expectFault } from './support/soundness.ts';
import { sessionEnvironment, startSshServer } from './support/sshServer.ts';

describeWith(['sshd'], 'in the middle of a test', () => {
  test('the session of sshd is killed', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const lifeline = forThisTest(makeLifeline(workplace()));
    const run = await faultRun({
      backend: existingHost(sshd, sshd.address),
      package: { tests: { smoke: lifeline.linger } },
      during: async () => {
        await lifeline.held;
        sshd.killSessions();
      },
    });
    await expectFault(run.report, {
      class: 'connection-closed',
      phase: 'exec',
      exitCode: 16,
      evidence: ['connection.lost'],
    });
    expect(run.summary).toMatch(/^testbed failure: connection closed while keeping the connection: /);
  });

  test('sshd is killed with all its sessions', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const lifeline = forThisTest(makeLifeline(workplace()));
    const run = await faultRun({
      backend: existingHost(sshd, sshd.address),
      package: { tests: { smoke: lifeline.linger } },
      during: async () => {
        await lifeline.held;
        sshd.kill();
      },
    });
    const events = await expectFault(run.report, {
      class: 'connection-closed',
      phase: 'exec',
      exitCode: 16,
      evidence: ['connection.lost'],
    });
    // A testbed whose connection broke has failed: nobody dials again.
    const lost = events.findIndex((event) => event.type === 'connection.lost');
    expect(events.slice(lost).filter((event) => event.type === 'dial.started')).toEqual([]);
  });

  test('sshd is frozen', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const lifeline = forThisTest(makeLifeline(workplace()));
    const clock = new ManualClock();
    const run = await faultRun({
      backend: existingHost(sshd, sshd.address),
      package: { tests: { smoke: lifeline.linger } },
      options: { clock },
      during: async (log) => {
        await log.first('test.started');
        await lifeline.held;
        sshd.freeze();
        for (let missed = 1; missed <= 3; missed += 1) {
          while (log.all('keepalive.missed').length < missed) clock.advance(5000);
        }
      },
    });
    const events = await expectFault(run.report, {
      class: 'connection-silent',
      phase: 'exec',
      exitCode: 16,
      evidence: ['keepalive.missed', 'keepalive.missed', 'keepalive.missed', 'connection.lost'],
    });
    const lost = events.find((event) => event.type === 'command.lost');
    expect(lost).toMatchObject({ how: 'silent' });
  });

  test.each([
    { fault: 'reset-both', expected: 'connection-reset' },
    { fault: 'reset-client', expected: 'connection-reset' },
    { fault: 'close', expected: 'connection-closed' },
  ] as const)('the network says $fault', async ({ fault, expected }) => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const proxy = forThisTest(await FaultProxy.to(sshd.address));
    const lifeline = forThisTest(makeLifeline(workplace()));
    const run = await faultRun({
      backend: existingHost(sshd, proxy.address),
      package: { tests: { smoke: lifeline.linger } },
      during: async () => {
        await lifeline.held;
        proxy.now(fault);
      },
    });
    await expectFault(run.report, { class: expected, phase: 'exec', exitCode: 16, evidence: ['connection.lost'] });
  });

  test('the network swallows everything', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const proxy = forThisTest(await FaultProxy.to(sshd.address));
    const lifeline = forThisTest(makeLifeline(workplace()));
    const clock = new ManualClock();
    const run = await faultRun({
      backend: existingHost(sshd, proxy.address),
      package: { tests: { smoke: lifeline.linger } },
      options: { clock },
      during: async (log) => {
        await log.first('test.started');
        await lifeline.held;
        proxy.now('silence');
        while (log.all('keepalive.missed').length < 3) clock.advance(5000);
      },
    });
    await expectFault(run.report, {
      class: 'connection-silent',
      phase: 'exec',
      exitCode: 16,
      evidence: ['keepalive.missed', 'keepalive.missed', 'keepalive.missed', 'connection.lost'],
    });
  });

  test('a command that fails is not mistaken for a lost connection', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    // 255 is what ssh(1) says of a lost connection.
    const run = await faultRun({
      backend: existingHost(sshd, sshd.address),
      package: { tests: { smoke: 'exit 255' } },
    });
    await expectFault(run.report, { class: 'test-failed', phase: 'exec', exitCode: 4, evidence: ['test.finished'] });
    expect(run.summary).toBe('smoke                FAIL non-zero exit status 255\n');
  });
});
