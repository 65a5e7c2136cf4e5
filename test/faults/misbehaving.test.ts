import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeLifeline } from '../support/lifeline.ts';
import { ManualClock } from '../support/ManualClock.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { existingHost } from './support/existingHost.ts';
import { faultRun } from './support/faultRun.ts';
import { expectFault, expectSoundTrace } from './support/soundness.ts';
import { sessionEnvironment, startSshServer } from './support/sshServer.ts';

const LEFT_BEHIND = 'WARNING: test smoke: it left processes behind; they were ended';

/** The manual clock goes less far than 5000 ms at once: a keepalive is asked for then, and no answer can come meanwhile. */
describeWith(['sshd'], 'a test that', () => {
  test.each([
    { signal: 'KILL', status: 137 },
    { signal: 'SEGV', status: 139 },
    { signal: 'TERM', status: 143 },
  ])('is killed by SIG$signal fails with exit status $status, as in a shell', async ({ signal, status }) => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const run = await faultRun({
      backend: existingHost(sshd, sshd.address),
      package: { tests: { smoke: `kill -${signal} $$` } },
    });
    const events = await expectFault(run.report, {
      class: 'test-signalled',
      phase: 'exec',
      exitCode: 4,
      evidence: ['test.finished'],
    });
    expect(run.report.cause?.detail).toBe(`killed by signal ${signal}`);
    expect(run.summary).toBe(`smoke                FAIL non-zero exit status ${status}\n`);
    const finished = events.find((event) => event.type === 'test.finished');
    expect(finished?.result).toEqual({ kind: 'signalled', signal });
  });

  test('leaves a background process that holds its stdout passes; the process is ended and reported', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const lifeline = forThisTest(makeLifeline(workplace()));
    const clock = new ManualClock();
    const run = await faultRun({
      backend: existingHost(sshd, sshd.address),
      package: { tests: { smoke: `${lifeline.hold}\necho before\nsleep 1000000 &\necho after` } },
      options: { clock },
      during: async (log) => {
        const { command } = await log.first('test.started');
        await log.first('command.exited', (event) => event.command === command);
        clock.advance(250);
      },
    });
    expect(run.report).toMatchObject({ exitCode: 0, cause: null });
    // Seen from outside: whatever the test started is gone.
    await lifeline.released;
    expect(run.summary).toBe('smoke                PASS\n');
    expect(run.stderr).toContain(LEFT_BEHIND);
    expect(readFileSync(join(run.outputDir, 'smoke-stdout'), 'utf8')).toBe('before\nafter\n');
    const events = await expectSoundTrace(run.report.trace, run.report);
    expect(events.find((event) => event.type === 'test.finished')).toMatchObject({ leaked: true });
    expect(events.find((event) => event.type === 'deadline.expired')).toMatchObject({ deadline: 'drain' });
  });

  test('leaves a background process without its stdout passes; the process is ended and reported', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const lifeline = forThisTest(makeLifeline(workplace()));
    const run = await faultRun({
      backend: existingHost(sshd, sshd.address),
      package: { tests: { smoke: `${lifeline.hold}\nsleep 1000000 >/dev/null 2>&1 </dev/null &\necho done` } },
    });
    expect(run.report).toMatchObject({ exitCode: 0, cause: null });
    await lifeline.released;
    expect(run.summary).toBe('smoke                PASS\n');
    expect(run.stderr).toContain(LEFT_BEHIND);
    const events = await expectSoundTrace(run.report.trace, run.report);
    expect(events.find((event) => event.type === 'test.finished')).toMatchObject({ leaked: true });
    expect(events.find((event) => event.type === 'signal.delivered')).toMatchObject({ signal: 'KILL', survivors: 1 });
  });

  test('of which nobody can tell what it leaves, passes, and it is said why', async () => {
    const refuse = 'case $SSH_ORIGINAL_COMMAND in *answers*"kill -s KILL"*) echo no such luck >&2; exit 9;; esac';
    const sshd = forThisTest(
      // The shell that holds the scratch directory could do it too, if it were of this version.
      await startSshServer([
        sessionEnvironment(),
        `ForceCommand ${refuse}; exec /bin/sh -c "$(printf %s "$SSH_ORIGINAL_COMMAND" | sed s/sweeps=yes/other=yes/)"`,
      ]),
    );
    const run = await faultRun({
      backend: existingHost(sshd, sshd.address),
      package: { tests: { smoke: 'echo done' } },
    });
    expect(run.report).toMatchObject({ exitCode: 0, cause: null });
    expect(run.stderr).toContain(
      'WARNING: test smoke: nobody can tell whether it left processes behind: no such luck\n',
    );
    const events = await expectSoundTrace(run.report.trace, run.report);
    expect(events.find((event) => event.type === 'test.finished')).toMatchObject({ leaked: null });
  });

  test('leaves nothing behind is not said to', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const run = await faultRun({
      backend: existingHost(sshd, sshd.address),
      package: { tests: { smoke: 'sleep 0 &\nwait\necho done' } },
    });
    expect(run.report).toMatchObject({ exitCode: 0, cause: null });
    expect(run.stderr).not.toContain('left processes behind');
    const events = await expectSoundTrace(run.report.trace, run.report);
    expect(events.find((event) => event.type === 'test.finished')).toMatchObject({ leaked: false });
  });

  test('takes too long is ended with its whole process group', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const lifeline = forThisTest(makeLifeline(workplace()));
    const clock = new ManualClock();
    const run = await faultRun({
      backend: existingHost(sshd, sshd.address),
      package: { tests: { smoke: `${lifeline.hold}\n(sleep 1000000 | sleep 1000000) &\necho begun\nsleep 1000000` } },
      options: { clock, timeouts: { test: 4 }, testbed: { deadlines: { terminate: 500 } } },
      during: async (log) => {
        const { command } = await log.first('test.started');
        await log.first('command.started', (event) => event.command === command);
        await lifeline.held;
        clock.advance(4000);
      },
    });
    const events = await expectFault(run.report, {
      class: 'test-timed-out',
      phase: 'exec',
      exitCode: 4,
      evidence: ['test.finished'],
    });
    await lifeline.released;
    expect(run.summary).toBe('smoke                FAIL timed out\n');
    expect(run.report.cause?.detail).toBe('not done within 4000 ms');
    expect(events.find((event) => event.type === 'signal.delivered')).toMatchObject({ signal: 'TERM' });
    expect(readFileSync(join(run.outputDir, 'smoke-stdout'), 'utf8')).toBe('begun\n');
  });

  test('takes too long and does not heed SIGTERM is killed', async () => {
    const sshd = forThisTest(await startSshServer([sessionEnvironment()]));
    const lifeline = forThisTest(makeLifeline(workplace()));
    const clock = new ManualClock();
    const run = await faultRun({
      backend: existingHost(sshd, sshd.address),
      package: { tests: { smoke: `trap '' TERM\n${lifeline.hold}\nwhile :; do sleep 1000000; done` } },
      options: { clock, timeouts: { test: 4 }, testbed: { deadlines: { terminate: 500 } } },
      during: async (log) => {
        const { command } = await log.first('test.started');
        await log.first('command.started', (event) => event.command === command);
        await lifeline.held;
        clock.advance(4000);
        await log.first('signal.delivered', ({ signal }) => signal === 'TERM');
        clock.advance(500);
      },
    });
    await expectFault(run.report, {
      class: 'test-timed-out',
      phase: 'exec',
      exitCode: 4,
      evidence: ['test.finished'],
    });
    await lifeline.released;
    expect(run.summary).toBe('smoke                FAIL timed out\n');
  });
});
