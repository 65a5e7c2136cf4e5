import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configureBackend } from '../../src/backends/index.ts';
import { createRun, openTestbed, type Testbed, TestbedError } from '../../src/testbed/index.ts';
import { EventLog } from '../support/eventLog.ts';
import { workplace } from '../support/workplace.ts';
import { holdAt } from './support/held.ts';
import { eventsOf } from './support/traceOf.ts';

test('await using takes the testbed down when its scope is left', async () => {
  const { backend, called } = await holdAt(null);
  let kept: Testbed;
  {
    await using testbed = await openTestbed(backend);
    kept = testbed;
    expect(await testbed.exec(['true'])).toMatchObject({ status: 0 });
    expect(called).toEqual(['create', 'start', 'endpoint']);
  }
  expect(called).toEqual(['create', 'start', 'endpoint', 'stop', 'destroy']);
  await expect(kept.exec(['true'])).rejects.toThrow(/is closed/);
});

test('await using takes it down when its scope is left by an exception, which is not lost', async () => {
  const { backend, called } = await holdAt(null);
  const leave = async () => {
    await using testbed = await openTestbed(backend);
    await testbed.exec(['true']);
    throw new Error('the caller has a bug');
  };
  await expect(leave()).rejects.toThrow('the caller has a bug');
  expect(called.at(-1)).toBe('destroy');
});

test('what close() gives can no longer be used, which the compiler knows', async () => {
  const testbed = await openTestbed(await configureBackend(['null']));
  const closed = await testbed.close();
  expect(closed).toEqual({ id: 'tb1', leftovers: [], kept: null, whyNotKept: null, cause: null, trace: null });
  // @ts-expect-error nothing runs in a testbed that is gone
  expect(closed.exec).toBeUndefined();
  // @ts-expect-error nor is there anything to copy to
  expect(closed.copyDown).toBeUndefined();
  // @ts-expect-error nor to close again
  expect(closed.close).toBeUndefined();
  const rename = (bed: Testbed) => {
    // @ts-expect-error who it is, is only for reading
    bed.id = 'tb2';
  };
  expect(rename).toBeTypeOf('function');
});

test('a run holds several testbeds at once, which know nothing of each other', async () => {
  const trace = join(workplace(), 'trace');
  const run = createRun({ trace, id: 'several' });
  run.emit({
    type: 'run.started',
    testbed: null,
    from: 'runner',
    tests: false,
    trundle: 'test',
    sources: [],
    backend: [],
  });
  const beds = await Promise.all([1, 2, 3].map(async () => await run.openTestbed(await configureBackend(['null']))));
  expect(beds.map(({ id }) => id).sort()).toEqual(['tb1', 'tb2', 'tb3']);
  const said = await Promise.all(beds.map((bed) => bed.exec(`echo ${bed.id}`)));
  expect(said.map(({ stdout }) => stdout)).toEqual(beds.map(({ id }) => `${id}\n`));
  const [first, second] = beds;
  await first?.close();
  expect((await second?.exec(['true']))?.status).toBe(0);
  // What is still open, the run closes.
  expect(await run.close()).toEqual({ exitCode: 0, cause: null, trace });
  const events = await eventsOf(trace);
  const removed = events.filter(({ type }) => type === 'testbed.removed').map(({ testbed }) => testbed);
  expect(removed.sort()).toEqual(['tb1', 'tb2', 'tb3']);
  expect(removed).toHaveLength(3);
});

test('a run that is closed opens no testbed', async () => {
  const run = createRun({ trace: null });
  await run.close();
  const opening = run.openTestbed(await configureBackend(['null']));
  await expect(opening).rejects.toBeInstanceOf(TestbedError);
  await expect(opening).rejects.toMatchObject({ cause: { phase: 'provision', doing: 'opening a testbed' } });
});

test('onClosed is called once the testbed is gone, and close() waits for it', async () => {
  const { backend, called } = await holdAt(null);
  const order: string[] = [];
  const onClosed = async () => void order.push(`closed after ${called.at(-1)}`);
  const testbed = await openTestbed(backend, { onClosed });
  await testbed.close();
  order.push('close() resolved');
  expect(order).toEqual(['closed after destroy', 'close() resolved']);
});

test('onRun sees the run before anything happens in it', async () => {
  let log: EventLog | undefined;
  await using testbed = await openTestbed(await configureBackend(['null']), {
    onRun: (run) => {
      log = new EventLog(run.events$);
    },
  });
  expect(log?.events[0]).toMatchObject({ type: 'run.started', seq: 1 });
  expect(log?.all('testbed.readied')).toMatchObject([{ testbed: testbed.id }]);
});
