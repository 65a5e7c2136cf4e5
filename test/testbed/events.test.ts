import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configureBackend } from '../../src/backends/index.ts';
import type { TrundleEvent } from '../../src/events/index.ts';
import { createMachines } from '../../src/machines/index.ts';
import { createRun, openTestbed, type Run } from '../../src/testbed/index.ts';
import { readTrace, replay } from '../../src/trace/index.ts';
import { workplace } from '../support/workplace.ts';
import { eventsOf } from './support/traceOf.ts';

/** All that a subscriber is told. */
function listen(source: Pick<Run, 'events$'>): { events: TrundleEvent[]; completed: () => boolean } {
  const events: TrundleEvent[] = [];
  let completed = false;
  source.events$.subscribe({
    next: (event) => events.push(event),
    complete: () => {
      completed = true;
    },
  });
  return { events, completed: () => completed };
}

test("a run's events are those of its trace, in its order, to the last one", async () => {
  const trace = join(workplace(), 'trace');
  const heard: ReturnType<typeof listen>[] = [];
  const testbed = await openTestbed(await configureBackend(['null']), {
    trace,
    onRun: (run) => void heard.push(listen(run), listen(run)),
  });
  await Promise.all([1, 2, 3, 4].map((n) => testbed.exec(`echo ${n}; exit ${n}`)));
  expect(heard.map(({ completed }) => completed())).toEqual([false, false]);
  await testbed.close();
  const kept = await eventsOf(trace);
  expect(kept.map(({ seq }) => seq)).toEqual(kept.map((_event, index) => index + 1));
  expect(kept.at(-1)?.type).toBe('run.concluded');
  for (const { events, completed } of heard) {
    expect(JSON.parse(JSON.stringify(events))).toEqual(kept);
    expect(completed()).toBe(true);
  }
  expect(await replay(await readTrace(trace), { createMachines })).toMatchObject({ same: true });
});

test("a testbed's events are its own only, and from now on: they are hot", async () => {
  const run = createRun({ trace: null });
  const [one, other] = [
    await run.openTestbed(await configureBackend(['null'])),
    await run.openTestbed(await configureBackend(['null'])),
  ];
  const early = listen(one);
  await one.exec(['true']);
  const late = listen(one);
  await Promise.all([one.exec(['true']), other.exec(['true'])]);
  await run.close();
  expect(early.events[0]?.type).toBe('command.requested');
  expect(new Set(early.events.map(({ testbed }) => testbed))).toEqual(new Set([one.id]));
  const requested = (heard: typeof early) => heard.events.filter(({ type }) => type === 'command.requested').length;
  expect([requested(early), requested(late)]).toEqual([2, 1]);
  expect(early.events.slice(-late.events.length)).toEqual(late.events);
  expect([early.completed(), late.completed()]).toEqual([true, true]);
});

test('who comes after the end is told nothing but that', async () => {
  const testbed = await openTestbed(await configureBackend(['null']));
  await testbed.close();
  const heard = listen(testbed);
  expect(heard.events).toEqual([]);
  expect(heard.completed()).toBe(true);
});

test('a listener that acts on an event sees what comes of it after that event', async () => {
  const order: string[] = [];
  let acted: Promise<unknown> | null = null;
  await using testbed = await openTestbed(await configureBackend(['null']));
  testbed.events$.subscribe(({ type }) => {
    order.push(type);
    if (type !== 'command.requested' || acted !== null) return;
    acted = testbed.exec(['true']);
    order.push('(acted)');
  });
  await testbed.exec(['true']);
  // Not in the middle of it, although it was asked for there.
  expect(order.slice(0, 2)).toEqual(['command.requested', '(acted)']);
  await acted;
  expect(order.filter((type) => type === 'command.requested')).toHaveLength(2);
});
