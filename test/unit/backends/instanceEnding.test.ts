import { describe, expect, test } from 'vitest';
import { Ending } from '../../../src/backends/lxd/Ending.ts';
import { type News, newsOf } from '../../../src/backends/lxd/Monitor.ts';
import { ManualClock } from '../../support/ManualClock.ts';

const operation = (what: string, status = 'Running'): News => ({ kind: 'operation', what, status });
const [paused, resumed, stopped, deleted, restarted] = (
  ['paused', 'resumed', 'stopped', 'deleted', 'restarted'] as const
).map((action): News => ({ kind: 'lifecycle', what: `instance-${action}` })) as [News, News, News, News, News];

const FROZEN = 'was frozen by somebody else';
const STOPPED = 'was stopped from outside, or its init died';
const REMOVED = 'was removed by somebody else';

/** What is told of an instance of which the daemon tells, at those times. */
function told(...news: readonly (News | number)[]): string[] {
  const clock = new ManualClock();
  const ends: string[] = [];
  const ending = new Ending(clock, (what) => {
    ends.push(what);
    ending.forget();
  });
  for (const each of news) {
    if (typeof each === 'number') clock.advance(each);
    else ending.hear(each);
  }
  return ends;
}

describe('how an instance has ended', () => {
  test.each<[string, (News | number)[], string[]]>([
    ['a freeze that was asked for is told at once', [operation('Freezing instance'), paused], [FROZEN]],
    ['also where it is heard of first', [paused, operation('Freezing instance', 'Success')], [FROZEN]],
    ['a freeze before a stop is no end', [operation('Stopping instance'), paused, 9000, stopped, 2999], []],
    ['the stop is', [operation('Stopping instance'), paused, 9000, stopped, 3000], [STOPPED]],
    ['a stop that nobody asked for is told at once', [stopped], [STOPPED]],
    [
      'a removal that follows a stop is the end, however long it takes',
      [operation('Stopping instance'), paused, 1200, stopped, 30, operation('Deleting instance'), 60_000],
      [REMOVED],
    ],
    ['a removal is told at once', [deleted], [REMOVED]],
    ['a restart is told as one', [paused, 2500, restarted, 60_000], ['rebooted, and nobody had asked for it']],
    ['a freeze for a copy is no end', [operation('Snapshotting instance'), paused, 300, resumed, 60_000], []],
    ['a freeze that comes to nothing is one', [paused, 29_999, operation('Executing command'), 1], [FROZEN]],
    ['a freeze that failed says nothing of the next', [operation('Freezing instance', 'Failure'), paused, 29_999], []],
    ['what was told is not told again', [operation('Freezing instance'), paused, 60_000], [FROZEN]],
  ])('%s', (_, news, ends) => {
    expect(told(...news)).toEqual(ends);
  });

  test('is not told where it is our own doing', () => {
    const clock = new ManualClock();
    const ends: string[] = [];
    const ending = new Ending(clock, (what) => void ends.push(what));
    ending.hear(operation('Stopping instance'));
    ending.hear(paused);
    ending.hear(stopped);
    ending.forget();
    clock.advance(60_000);
    expect(ends).toEqual([]);
  });
});

describe('what a daemon tells of an instance', () => {
  const line = (metadata: unknown) => JSON.stringify({ type: 'any', metadata });
  const of = (path: string) => ({
    description: 'Freezing instance',
    status: 'Success',
    resources: { instances: [path] },
  });

  test.each<[string, string, News | null]>([
    ['an event', line({ action: 'instance-paused', source: '/1.0/instances/a?project=p' }), paused],
    ['an operation', line(of('/1.0/instances/a')), operation('Freezing instance', 'Success')],
    ['an operation in a project', line(of('/1.0/instances/a?project=p')), operation('Freezing instance', 'Success')],
    ['an event of another', line({ action: 'instance-paused', source: '/1.0/instances/b' }), null],
    ['an operation on another', line(of('/1.0/instances/b')), null],
    ['an operation on nothing', line({ description: 'Downloading image', status: 'Running', resources: null }), null],
    ['half a line', '{"type": "life', null],
    ['no JSON', 'Error: websocket: close 1006', null],
  ])('%s', (_, text, news) => {
    expect(newsOf('a', text)).toEqual(news);
  });
});
