import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { TrundleEvent } from '../../src/events/index.ts';
import { describeWith } from '../support/needs.ts';
import { type CliEnd, cli, eventsIn } from './support/cli.ts';
import { explanation, type HeldRun, HOLDS, type Hold, holdRun, stands } from './support/heldRun.ts';

/** Types of the events that tell of a teardown in order, as far as there was anything to take down. */
const TEARDOWN = [
  'removal.requested',
  'shutdown.completed',
  'destruction.completed',
  'backend.removed',
  'testbed.removed',
  'run.finished',
  'run.concluded',
] as const;

/** Both are past the point where a verb could be cancelled: it is waited for. */
const IN_TEARDOWN: readonly Hold[] = ['stopping', 'destroying'];

/** What holds of every run that a signal ended, wherever it was. Returns its events. */
async function expectInterrupted(held: HeldRun, end: CliEnd, signal: string, status: number): Promise<TrundleEvent[]> {
  expect([end.status, end.signal]).toEqual([status, null]);
  const events = eventsIn(end.stdout);
  expect(events.at(-1)).toMatchObject({ type: 'run.concluded', exitCode: status });
  for (const event of events) {
    if (event.type === 'resource.acquired') expect([event.name, stands(event)]).toEqual([event.name, false]);
  }
  expect(readdirSync(held.place)).toEqual([]);
  expect(await explanation(held)).toMatchObject({
    exitCode: status,
    cause: { class: 'operator-interrupted', detail: signal },
    left: [],
    interrupted: null,
  });
  expect((await cli(['replay', held.trace], { env: held.env })).status).toBe(0);
  return events;
}

describeWith(['sshd', 'proc'], 'a signal while', () => {
  // Which of them it is changes the exit status only; a second one comes after SIGTERM, wherever the run is held.
  const cases = HOLDS.map(([hold, phase], index) => {
    const again = HOLDS.slice(0, index).some(([, earlier]) => earlier === phase);
    return again ? ([hold, 'SIGTERM', 143] as const) : ([hold, 'SIGINT', 130] as const);
  });

  test.each(cases)('%s: %s takes the testbed down in order and exits with %d', async (hold, signal, status) => {
    const held = await holdRun(hold);
    held.running.kill(signal);
    await held.running.event('operator.signalled');
    if (IN_TEARDOWN.includes(hold)) held.letGo();
    const events = await expectInterrupted(held, await held.running.ended, signal, status);
    const types = events.map(({ type }) => type).filter((type) => (TEARDOWN as readonly string[]).includes(type));
    expect(types).toEqual(TEARDOWN);
    expect(events.at(-1)).toMatchObject({ cause: { class: 'operator-interrupted' } });
    expect(events.find(({ type }) => type === 'removal.requested')).toMatchObject({ force: false });
  });

  test.each(HOLDS.filter(([hold]) => !IN_TEARDOWN.includes(hold)))(
    '%s: a second one removes the testbed at once, whatever holds it',
    async (hold) => {
      const held = await holdRun(hold, { stubborn: true });
      held.running.kill('SIGTERM');
      await held.running.event('operator.signalled');
      held.running.kill('SIGTERM');
      const events = await expectInterrupted(held, await held.running.ended, 'SIGTERM', 143);
      expect(events.filter(({ type }) => type === 'operator.signalled')).toMatchObject([{ count: 1 }, { count: 2 }]);
      // Nobody waited for what does not heed: every deadline of the teardown is far away.
      expect(events.filter(({ type }) => type === 'deadline.expired')).toEqual([]);
      expect(events.filter(({ type }) => type === 'removal.requested').at(-1)).toMatchObject({ force: true });
    },
  );

  test('stopping: a second one goes on to the removal', async () => {
    const held = await holdRun('stopping', { stubborn: true });
    held.running.kill('SIGINT');
    await held.running.event('operator.signalled');
    held.running.kill('SIGINT');
    const events = await expectInterrupted(held, await held.running.ended, 'SIGINT', 130);
    expect(events.filter(({ type }) => type === 'shutdown.completed' || type === 'deadline.expired')).toEqual([]);
  });

  test('destroying: a second one waits for the removal, the third leaves it to reap', async () => {
    const held = await holdRun('destroying', { stubborn: true });
    for (const count of [1, 2]) {
      held.running.kill('SIGINT');
      await held.running.event('operator.signalled', (event) => event.count === count);
    }
    held.running.kill('SIGINT');
    expect((await held.running.ended).signal).toBe('SIGINT');
    expect((await explanation(held)).left.length).toBeGreaterThan(0);
    const reaped = await cli(['reap', '--json', held.trace], { env: held.env });
    expect(JSON.parse(reaped.stdout).runs).toMatchObject([{ outcome: 'finished', left: [], concluded: true }]);
    expect(readdirSync(held.place)).toEqual([]);
  });
});
