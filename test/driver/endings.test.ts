import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { makeLifeline } from '../support/lifeline.ts';
import { forThisTest } from '../support/workplace.ts';
import { onEveryServer, publicPlace } from './support/openHost.ts';

onEveryServer('the end of a command', [], (host) => {
  test('tells each exit status, 255 as well', async () => {
    const all = Array.from({ length: 256 }, (_, status) => status);
    const ends = await Promise.all(all.map((status) => host.testbed.exec(['sh', '-c', `exit ${status}`])));
    expect(ends.map(({ status }) => status)).toEqual(all);
    expect(ends.every(({ signal }) => signal === null)).toBe(true);
  });

  test.each(['HUP', 'INT', 'QUIT', 'KILL', 'SEGV', 'PIPE', 'ALRM', 'TERM', 'USR1'])(
    'tells that signal %s ended it',
    async (signal) => {
      expect(await host.testbed.exec(`kill -${signal} $$`)).toMatchObject({ status: null, signal });
    },
  );

  test('tells 127 and 126 as a shell does', async () => {
    expect(await host.testbed.exec(['/no/such/program'])).toMatchObject({ status: 127 });
    expect(await host.testbed.exec(['/etc/passwd'])).toMatchObject({ status: 126 });
  });

  test('by a timeout takes all of its process group along, also who ignores SIGTERM', async () => {
    const lifeline = forThisTest(makeLifeline(publicPlace()));
    const stubborn = `sh -c 'trap "" TERM; ${lifeline.hold.replaceAll("'", '"')}; while :; do sleep 1; done'`;
    const late = host.testbed.exec(`${stubborn} & ${stubborn} & wait`, { timeout: 1000 });
    await expect(late).rejects.toMatchObject({
      cause: { class: 'deadline-expired', phase: 'exec', detail: 'not done within 1000 ms' },
      result: { kind: 'timed-out', after: 1000 },
    });
    await lifeline.held;
    await lifeline.released;
  });

  test('by an AbortSignal takes all of its process group along', async () => {
    const lifeline = forThisTest(makeLifeline(publicPlace()));
    const aborter = new AbortController();
    const running = host.testbed.exec(`(${lifeline.linger}) & wait`, { signal: aborter.signal });
    running.catch(() => {});
    await lifeline.held;
    aborter.abort(new Error('enough'));
    await expect(running).rejects.toMatchObject({
      cause: { class: 'operator-interrupted' },
      result: { kind: 'cancelled' },
    });
    await lifeline.released;
    expect((await host.log.first('cancel.requested', ({ reason }) => reason === 'enough')).reason).toBe('enough');
  });

  test('by a signal that was aborted before comes at once', async () => {
    await expect(host.testbed.exec(['sleep', '1000000'], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      result: { kind: 'cancelled' },
    });
  });

  test('is not put off by a child in the background that holds its output', async () => {
    const lifeline = forThisTest(makeLifeline(publicPlace()));
    const running = host.testbed.exec(`(${lifeline.linger}) & echo done; exit 3`);
    expect(await running).toMatchObject({ status: 3, stdout: 'done\n', leaked: true });
  });

  test('sweeps up what is left, where that is wanted', async () => {
    const lifeline = forThisTest(makeLifeline(publicPlace()));
    const script = `(${lifeline.linger}) >/dev/null 2>&1 </dev/null & echo done`;
    await host.testbed.exec(`${script}; exec 3<'${lifeline.path}' || :`, { sweep: true, timeout: 20_000 });
    await lifeline.released;
  });

  test('has what is left swept up by whoever can do that beside it', async () => {
    const scripts: string[] = [];
    const answers = (answer: string | null) => (script: string) => {
      scripts.push(script);
      return Promise.resolve(answer);
    };
    const end = async (answer: string | null) => {
      const { ended, stdout: out, stderr } = host.testbed.start('echo $$', { sweep: true, sweepBy: answers(answer) });
      const [told, ...others] = await Promise.all([text(out), text(stderr)]);
      expect(others).toEqual(['']);
      const end = await ended;
      expect(scripts.at(-1)).toContain(`kill -s KILL -- -${told.trim()} `);
      return end;
    };
    expect(await end('2\n')).toMatchObject({ result: { kind: 'exited', status: 0 }, leaked: true });
    expect(await end('0\n')).toMatchObject({ result: { kind: 'exited', status: 0 }, leaked: false });
    expect(scripts).toHaveLength(2);
  });

  test.each([
    ['nobody can do that beside it', null],
    ['whoever can tells no number', 'sh: 1: Cannot fork\n'],
  ])('sweeps up by a session of its own where %s', async (_why, answer) => {
    const { ended, stdout, stderr } = host.testbed.start('sleep 1000 >/dev/null 2>&1 </dev/null & echo $!', {
      sweep: true,
      sweepBy: () => Promise.resolve(answer),
    });
    const [pid, others] = await Promise.all([text(stdout), text(stderr)]);
    expect(others).toBe('');
    expect(await ended).toMatchObject({ result: { kind: 'exited', status: 0 }, leaked: true });
    const looked = await host.testbed.exec(`ps -o stat= -p ${pid.trim()}`);
    expect(looked.stdout.trim()).toMatch(/^(Z.*)?$/);
  });

  test('cannot tell what is left where whoever should sweep it up fails, and says why', async () => {
    const fails = () => {
      throw new Error('the shell beside it is broken');
    };
    const told: unknown[] = [];
    const subscription = host.testbed.events$.subscribe((event) => {
      if (event.type === 'signal.failed') told.push(event.failure.message);
    });
    const { ended, stdout, stderr } = host.testbed.start('true', { sweep: true, sweepBy: fails });
    await Promise.all([text(stdout), text(stderr)]);
    expect(await ended).toMatchObject({ result: { kind: 'exited', status: 0 }, leaked: null });
    expect(told).toEqual(['the shell beside it is broken']);
    subscription.unsubscribe();
  });

  test('comes to many at once', async () => {
    const lifelines = Array.from({ length: 12 }, () => forThisTest(makeLifeline(publicPlace())));
    const aborter = new AbortController();
    const all = lifelines.map((lifeline) => host.testbed.exec(lifeline.linger, { signal: aborter.signal }));
    for (const each of all) each.catch(() => {});
    await Promise.all(lifelines.map((lifeline) => lifeline.held));
    aborter.abort();
    await Promise.allSettled(all);
    await Promise.all(lifelines.map((lifeline) => lifeline.released));
  });
});
