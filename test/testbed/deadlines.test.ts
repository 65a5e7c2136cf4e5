import { expect, test } from 'vitest';
import { createRun, TestbedError } from '../../src/testbed/index.ts';
import { EventLog } from '../support/eventLog.ts';
import { ManualClock } from '../support/ManualClock.ts';
import { holdAt } from './support/held.ts';

test.each([
  { verb: 'create', deadline: 'provision', class: 'deadline-expired', phase: 'provision' },
  { verb: 'start', deadline: 'boot', class: 'deadline-expired', phase: 'boot' },
  { verb: 'endpoint', deadline: 'endpoint', class: 'deadline-expired', phase: 'boot' },
] as const)('$deadline bounds $verb, to the millisecond that was asked for', async ({ verb, deadline, ...cause }) => {
  const clock = new ManualClock();
  const { backend, reached, called } = await holdAt(verb);
  const run = createRun({ trace: null, clock });
  const log = new EventLog(run.events$);
  const opening = run.openTestbed(backend, { deadlines: { [deadline]: 1234 } });
  const refused = expect(opening).rejects.toMatchObject({ name: 'TestbedError', cause });
  await reached;
  expect(log.all('testbed.requested')).toMatchObject([{ deadlines: { [deadline]: 1234 } }]);
  clock.advance(1233);
  expect(log.all('deadline.expired')).toEqual([]);
  clock.advance(1);
  expect(log.all('deadline.expired')).toMatchObject([{ deadline, after: 1234 }]);
  await refused;
  expect(called.at(-1)).toBe('destroy');
  await run.close();
});

test('what is not given keeps its default', async () => {
  const clock = new ManualClock();
  const { backend, reached } = await holdAt('create');
  const run = createRun({ trace: null, clock });
  const log = new EventLog(run.events$);
  const opening = run.openTestbed(backend, { deadlines: { boot: 1 } });
  const refused = expect(opening).rejects.toBeInstanceOf(TestbedError);
  await reached;
  clock.advance(599_999);
  expect(log.all('deadline.expired')).toEqual([]);
  clock.advance(1);
  expect(log.all('deadline.expired')).toMatchObject([{ deadline: 'provision', after: 600_000 }]);
  await refused;
  await run.close();
});

test("a command's own timeout ends it, and not the testbed", async () => {
  const clock = new ManualClock();
  const { backend } = await holdAt(null);
  const run = createRun({ trace: null, clock });
  const log = new EventLog(run.events$);
  const testbed = await run.openTestbed(backend);
  const late = testbed.exec(['sleep', '1000000'], { timeout: 3000 });
  const refused = expect(late).rejects.toMatchObject({
    name: 'TestbedError',
    testbed: testbed.id,
    result: { kind: 'timed-out', after: 3000 },
    cause: { class: 'deadline-expired', phase: 'exec', detail: 'not done within 3000 ms' },
  });
  await log.first('command.started');
  clock.advance(2999);
  expect(log.all('deadline.expired')).toEqual([]);
  clock.advance(1);
  await refused;
  expect(await testbed.exec(['true'])).toMatchObject({ status: 0 });
  await run.close();
});

test('each testbed of a run has deadlines of its own', async () => {
  const clock = new ManualClock();
  const [short, long] = [await holdAt('start'), await holdAt('start')];
  const run = createRun({ trace: null, clock });
  const first = run.openTestbed(short.backend, { deadlines: { boot: 10 } });
  const refused = expect(first).rejects.toMatchObject({ cause: { class: 'deadline-expired' } });
  const second = run.openTestbed(long.backend, { deadlines: { boot: 20 } });
  await Promise.all([short.reached, long.reached]);
  clock.advance(10);
  await refused;
  long.release();
  expect(await (await second).exec(['true'])).toMatchObject({ status: 0 });
  expect(await run.close()).toMatchObject({ cause: { class: 'deadline-expired' } });
});
