import { Subject } from 'rxjs';
import { expect, test } from 'vitest';
import type { Observation } from '../../src/backends/contract.ts';
import type { EventType, Phase } from '../../src/events/index.ts';
import { silentServer } from '../support/badServers.ts';
import { makeLifeline } from '../support/lifeline.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { faultRun } from './support/faultRun.ts';
import { faultyHost, HeldVerb, type Verb } from './support/faultyHost.ts';
import { expectFault, expectSoundTrace } from './support/soundness.ts';
import { sessionEnvironment, startSshServer } from './support/sshServer.ts';
import { useTestbed } from './support/usedTestbed.ts';

/** What a backend sees when its testbed dies, and what is then said of it. */
const DEATHS: readonly { how: string; see: (seen: Subject<Observation>) => void; proof: EventType; detail: string }[] =
  [
    {
      how: 'its main process exits',
      see: (seen) => seen.next({ type: 'process.exited', process: 'vm', role: 'main', status: 1, signal: null }),
      proof: 'process.exited',
      detail: 'process vm ended with exit status 1',
    },
    {
      how: 'its main process is killed',
      see: (seen) => seen.next({ type: 'process.exited', process: 'vm', role: 'main', status: null, signal: 'KILL' }),
      proof: 'process.exited',
      detail: 'process vm ended by signal KILL',
    },
    {
      how: 'its kernel panics',
      see: (seen) => seen.next({ type: 'guest.panicked', message: 'not syncing' }),
      proof: 'guest.panicked',
      detail: 'the kernel panicked: not syncing',
    },
    {
      how: 'its guest stops',
      see: (seen) => seen.next({ type: 'guest.stopped', reason: 'powered off' }),
      proof: 'guest.stopped',
      detail: 'the guest stopped: powered off',
    },
    {
      how: "the backend's observations fail",
      see: (seen) => seen.error(new Error('the socket is gone')),
      proof: 'guest.stopped',
      detail: "the guest stopped: the backend's observations failed: Error: the socket is gone",
    },
  ];

describeWith(['sshd'], 'a testbed dies in the middle of a test', () => {
  test.each(DEATHS)('because $how', async ({ see, proof, detail }) => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const seen = new Subject<Observation>();
    const lifeline = forThisTest(makeLifeline(workplace()));
    const run = await faultRun({
      backend: faultyHost(sshd, sshd.address, { observations$: seen }),
      package: { tests: { smoke: lifeline.linger } },
      during: async () => {
        await lifeline.held;
        see(seen);
      },
    });
    await expectFault(run.report, { class: 'testbed-died', phase: 'exec', exitCode: 16, evidence: [proof] });
    expect(run.report.cause?.detail).toBe(detail);
    expect(run.summary).toMatch(/^testbed failure: testbed died while keeping the testbed alive: /);
  });

  test('which explains the connection that broke a moment before', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const seen = new Subject<Observation>();
    const lifeline = forThisTest(makeLifeline(workplace()));
    const run = await faultRun({
      backend: faultyHost(sshd, sshd.address, {
        observations$: seen,
        verbs: { stop: async () => seen.next({ type: 'guest.panicked', message: 'late' }) },
      }),
      package: { tests: { smoke: lifeline.linger } },
      during: async (log) => {
        await lifeline.held;
        sshd.killSessions();
        await log.first('connection.lost');
        seen.next({ type: 'guest.panicked', message: 'not syncing' });
      },
    });
    await expectFault(run.report, {
      class: 'testbed-died',
      phase: 'exec',
      exitCode: 16,
      evidence: ['connection.lost', 'guest.panicked'],
    });
  });
});

const [EXITS] = DEATHS;

describeWith(['sshd'], 'the main process of a testbed exits while', () => {
  const cases: readonly { verb: Verb; phase: Phase }[] = [
    { verb: 'start', phase: 'boot' },
    { verb: 'endpoint', phase: 'boot' },
    { verb: 'reset', phase: 'revert' },
  ];

  test.each(cases)('$verb is at work', async ({ verb, phase }) => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const seen = new Subject<Observation>();
    const held = new HeldVerb(true);
    const run = await faultRun({
      backend: faultyHost(sshd, sshd.address, {
        observations$: seen,
        verbs: { [verb]: held.run },
        capabilities: ['revert'],
      }),
      package: { tests: { first: 'true', second: 'true' } },
      during: async () => {
        await held.called;
        // A process may be replaced by a reset; a panic never belongs to it.
        if (verb === 'reset') seen.next({ type: 'guest.panicked', message: 'not syncing' });
        else EXITS?.see(seen);
      },
    });
    const proof = verb === 'reset' ? 'guest.panicked' : 'process.exited';
    await expectFault(run.report, { class: 'testbed-died', phase, exitCode: 16, evidence: [proof] });
  });

  test('it is being connected to', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const silent = forThisTest(await silentServer());
    const seen = new Subject<Observation>();
    const run = await faultRun({
      backend: faultyHost(sshd, silent.address, { observations$: seen }),
      package: { tests: { smoke: 'true' } },
      during: async (log) => {
        await log.first('socket.connected');
        EXITS?.see(seen);
      },
    });
    await expectFault(run.report, {
      class: 'testbed-died',
      phase: 'ssh-ready',
      exitCode: 16,
      evidence: ['process.exited'],
    });
  });

  test('it reboots', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const seen = new Subject<Observation>();
    const held = new HeldVerb(true);
    const used = await useTestbed({
      backend: faultyHost(sshd, sshd.address, {
        observations$: seen,
        verbs: { restart: held.run },
        capabilities: ['reboot'],
      }),
      use: (testbed) => testbed.reboot(),
      during: async () => {
        await held.called;
        seen.next({ type: 'guest.panicked', message: 'not syncing' });
      },
    });
    await expectFault(used.end, {
      class: 'testbed-died',
      phase: 'reboot',
      exitCode: 16,
      evidence: ['guest.panicked'],
    });
  });

  test.each(['stop', 'destroy'] as const)('%s is at work: that is what it is for', async (verb) => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const seen = new Subject<Observation>();
    const run = await faultRun({
      backend: faultyHost(sshd, sshd.address, {
        observations$: seen,
        verbs: { [verb]: async () => EXITS?.see(seen) },
      }),
      package: { tests: { smoke: 'true' } },
    });
    expect(run.report).toMatchObject({ exitCode: 0, cause: null });
    const events = await expectSoundTrace(run.report.trace, run.report);
    expect(events.filter((event) => event.type === 'process.exited')).toHaveLength(1);
  });
});
