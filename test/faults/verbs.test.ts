import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BackendError } from '../../src/backends/contract.ts';
import type { CauseClass, DeadlineTable, EventType, Phase } from '../../src/events/index.ts';
import { resourcesLeft } from '../../src/trace/index.ts';
import { ManualClock } from '../support/ManualClock.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest } from '../support/workplace.ts';
import { faultRun } from './support/faultRun.ts';
import { faultyHost, HeldVerb, type Verb } from './support/faultyHost.ts';
import { expectFault, readAll } from './support/soundness.ts';
import { sessionEnvironment, startSshServer } from './support/sshServer.ts';
import { useTestbed } from './support/usedTestbed.ts';

const PASSING = { tests: { first: 'true', second: 'true' } };

interface Expected {
  readonly verb: Verb;
  readonly class: CauseClass;
  readonly phase: Phase;
  readonly exitCode: number;
  readonly failed: EventType;
  readonly deadline: keyof DeadlineTable;
}

const VERBS: readonly Expected[] = [
  {
    verb: 'create',
    class: 'provision-failed',
    phase: 'provision',
    exitCode: 16,
    failed: 'provision.failed',
    deadline: 'provision',
  },
  { verb: 'start', class: 'boot-failed', phase: 'boot', exitCode: 16, failed: 'boot.failed', deadline: 'boot' },
  {
    verb: 'endpoint',
    class: 'boot-failed',
    phase: 'boot',
    exitCode: 16,
    failed: 'endpoint.failed',
    deadline: 'endpoint',
  },
  { verb: 'reset', class: 'revert-failed', phase: 'revert', exitCode: 16, failed: 'reset.failed', deadline: 'reset' },
  {
    verb: 'stop',
    class: 'teardown-failed',
    phase: 'teardown',
    exitCode: 20,
    failed: 'shutdown.failed',
    deadline: 'shutdown',
  },
];

const MILLISECONDS = 900;

describeWith(['sshd'], 'a verb of the backend', () => {
  test.each(VERBS)('$verb fails: $class, exit code $exitCode', async (expected) => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const fail = () => Promise.reject(new BackendError('no-luck', 'it broke', { remedy: 'mend it' }));
    const run = await faultRun({
      backend: faultyHost(sshd, sshd.address, { verbs: { [expected.verb]: fail }, capabilities: ['revert'] }),
      package: PASSING,
    });
    await expectFault(run.report, { ...pick(expected), evidence: [expected.failed] });
    expect(run.report.cause?.detail).toBe('no-luck: it broke; try: mend it');
  });

  test('restart fails: reboot-failed, exit code 16', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const restart = () => Promise.reject(new BackendError('no-luck', 'it broke'));
    const used = await useTestbed({
      backend: faultyHost(sshd, sshd.address, { verbs: { restart }, capabilities: ['reboot'] }),
      use: (testbed) => testbed.reboot(),
    });
    await expectFault(used.end, {
      class: 'reboot-failed',
      phase: 'reboot',
      exitCode: 16,
      evidence: ['restart.failed'],
    });
    expect(used.error).toMatchObject({ cause: used.end.cause });
  });

  test.each(VERBS.flatMap((expected) => [true, false].map((heeding) => ({ ...expected, heeding }))))(
    '$verb never ends: its deadline ends the wait, whether it can be cancelled ($heeding) or not',
    async (expected) => {
      const { verb, deadline, heeding } = expected;
      const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
      const held = new HeldVerb(heeding);
      const clock = new ManualClock();
      const run = await faultRun({
        backend: faultyHost(sshd, sshd.address, { verbs: { [verb]: held.run }, capabilities: ['revert'] }),
        package: PASSING,
        options: { clock, testbed: { deadlines: { [deadline]: MILLISECONDS, cancel: MILLISECONDS } } },
        during: async (log) => {
          await held.called;
          clock.advance(MILLISECONDS);
          await log.first('deadline.expired', (event) => event.deadline === deadline);
          // Who heeds its cancellation is waited for; who does not, only so long.
          if (heeding || verb === 'stop') return;
          clock.advance(MILLISECONDS);
        },
      });
      const teardown = expected.phase === 'teardown';
      const events = await expectFault(run.report, {
        ...pick(expected),
        class: teardown ? 'teardown-failed' : 'deadline-expired',
        evidence: ['deadline.expired'],
      });
      expect(run.report.cause?.detail).toBe(`not done within ${MILLISECONDS} ms`);
      const expired = events.filter((event) => event.type === 'deadline.expired').map((event) => event.deadline);
      expect(expired).toEqual(heeding || teardown ? [deadline] : [deadline, 'cancel']);
      held.letGo();
    },
  );
});

describeWith(['sshd'], 'what a testbed leaves because it cannot be removed', () => {
  test.each(['fails', 'never ends'])('is named with the command that removes it, where destroy %s', async (how) => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const held = new HeldVerb(false);
    const clock = new ManualClock();
    const run = await faultRun({
      backend: faultyHost(sshd, sshd.address, {
        verbs: {
          create: async (_signal, host) => {
            host.acquire({ kind: 'container', name: 'box', release: ['box', 'remove', '--name', 'my box'] });
          },
          destroy: (signal) => (how === 'fails' ? Promise.reject(new Error('it is busy')) : held.run(signal)),
        },
      }),
      package: PASSING,
      options: { clock },
      during: async () => {
        if (how === 'fails') return;
        await held.called;
        clock.advance(60_000);
      },
    });
    const { lines, events } = await readAll(run.report.trace ?? '');
    const left = resourcesLeft(lines);
    // Nobody knows what still uses the testbed's files, so they are left as well.
    expect(left.map(({ kind }) => kind)).toEqual(['directory', 'container']);
    for (const { kind, name } of left) if (kind === 'directory') rmSync(name, { recursive: true });
    const proof = events.find(({ type }) => type === (how === 'fails' ? 'destruction.failed' : 'deadline.expired'));
    const detail = how === 'fails' ? 'it is busy' : 'not done within 60000 ms';
    expect(run.report).toMatchObject({
      exitCode: 20,
      cause: { class: 'teardown-failed', phase: 'teardown', detail, evidence: [proof?.seq] },
    });
    expect(events.at(-1)).toMatchObject({ type: 'run.concluded', exitCode: 20, cause: run.report.cause });
    expect(run.stderr).toContain("WARNING: container box could not be removed; this would: box remove --name 'my box'");
    const removed = events.find((event) => event.type === 'testbed.removed');
    expect(removed?.leftovers).toEqual(left.map(({ resource }) => resource));
    expect(run.summary).toContain('first                PASS');
  });
});

function pick({ class: causeClass, phase, exitCode }: Expected) {
  return { class: causeClass, phase, exitCode };
}
