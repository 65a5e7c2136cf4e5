import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generateKeyPair } from '../../src/driver/index.ts';
import { silentServer, talkingServer, vacantAddress } from '../support/badServers.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { existingHost } from './support/existingHost.ts';
import { faultRun } from './support/faultRun.ts';
import { expectFault, expectSoundTrace } from './support/soundness.ts';
import { sessionEnvironment, startSshServer } from './support/sshServer.ts';

const PASSING = { tests: { smoke: 'echo hello' } };

describeWith(['sshd'], 'a testbed whose SSH server', () => {
  test('refuses connections at first is waited for', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const vacant = forThisTest(await vacantAddress());
    const run = await faultRun({
      backend: existingHost(sshd, vacant.address),
      package: PASSING,
      during: async (log) => {
        await log.first('dial.failed', ({ how }) => how === 'refused');
        await vacant.open(sshd.address);
      },
    });
    expect(run.summary).toBe('smoke                PASS\n');
    expect(run.report).toMatchObject({ exitCode: 0, cause: null });
    const events = await expectSoundTrace(run.report.trace, run.report);
    const dials = events.filter((event) => event.type === 'dial.failed');
    expect(dials.length).toBeGreaterThan(0);
    expect(dials.every((dial) => dial.how === 'refused' && dial.stage === 'connect')).toBe(true);
  });

  test('refuses connections for ever is given up after the deadline ssh-ready', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const vacant = forThisTest(await vacantAddress());
    const run = await faultRun({
      backend: existingHost(sshd, vacant.address),
      package: PASSING,
      options: { testbed: { deadlines: { 'ssh-ready': 400, redial: 50 } } },
    });
    await expectFault(run.report, {
      class: 'connection-refused',
      phase: 'ssh-ready',
      exitCode: 16,
      evidence: ['dial.failed', 'deadline.expired'],
    });
    expect(run.summary).toMatch(/^testbed failure: connection refused while connecting to the SSH server: /);
  });

  test('shows another host key is not talked to', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const expected = generateKeyPair().fingerprint;
    const run = await faultRun({
      backend: existingHost({ ...sshd, hostKey: expected }, sshd.address),
      package: PASSING,
    });
    const events = await expectFault(run.report, {
      class: 'host-key-mismatch',
      phase: 'ssh-ready',
      exitCode: 16,
      evidence: ['hostkey.mismatched'],
    });
    expect(run.report.cause?.detail).toContain(sshd.hostKey);
    expect(run.report.cause?.detail).toContain(expected);
    expect(events.filter((event) => event.type === 'auth.accepted')).toEqual([]);
    expect(events.filter((event) => event.type === 'dial.started')).toHaveLength(1);
  });

  test('refuses the key is not asked again', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const identity = join(workplace(), 'stranger');
    writeFileSync(identity, generateKeyPair().privateKey, { mode: 0o600 });
    const run = await faultRun({ backend: existingHost({ ...sshd, identity }, sshd.address), package: PASSING });
    const events = await expectFault(run.report, {
      class: 'auth-refused',
      phase: 'ssh-ready',
      exitCode: 16,
      evidence: ['auth.refused'],
    });
    expect(run.report.cause?.detail).toMatch(/^tried publickey: /);
    expect(events.filter((event) => event.type === 'dial.started')).toHaveLength(1);
  });

  test('accepts and says nothing is given up after the deadline ssh-ready', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const silent = forThisTest(await silentServer());
    const run = await faultRun({
      backend: existingHost(sshd, silent.address),
      package: PASSING,
      options: { testbed: { deadlines: { 'ssh-ready': 500, banner: 100, redial: 50 } } },
    });
    const events = await expectFault(run.report, {
      class: 'connection-silent',
      phase: 'ssh-ready',
      exitCode: 16,
      evidence: ['deadline.expired', 'deadline.expired'],
    });
    expect(run.report.cause?.doing).toBe("waiting for the SSH server's greeting");
    const expired = events.filter((event) => event.type === 'deadline.expired').map(({ deadline }) => deadline);
    expect(new Set(expired)).toEqual(new Set(['banner', 'redial', 'ssh-ready']));
    // It may do better the next time: it was asked more than once.
    expect(silent.accepted).toBeGreaterThan(1);
  });

  test('sends garbage instead of a greeting is no SSH server', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const web = forThisTest(await talkingServer('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'));
    const run = await faultRun({ backend: existingHost(sshd, web.address), package: PASSING });
    await expectFault(run.report, {
      class: 'not-an-ssh-server',
      phase: 'ssh-ready',
      exitCode: 16,
      evidence: ['banner.rejected'],
    });
    expect(run.report.cause?.detail).toContain('HTTP/1.1 400 Bad Request');
    expect(web.accepted).toBe(1);
  });

  test('sends binary garbage is no SSH server either', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const noise = forThisTest(await talkingServer(Buffer.alloc(70_000, 0xfe)));
    const run = await faultRun({ backend: existingHost(sshd, noise.address), package: PASSING });
    await expectFault(run.report, {
      class: 'not-an-ssh-server',
      phase: 'ssh-ready',
      exitCode: 16,
      evidence: ['banner.rejected'],
    });
  });
});
