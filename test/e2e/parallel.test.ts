import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resourcesLeft } from '../../src/trace/index.ts';
import { tinyImage } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { makePackage } from '../support/packages.ts';
import { workplace } from '../support/workplace.ts';
import { Cli, cli, eventsIn, ownState } from './support/cli.ts';

describeWith(['root', 'unshare', 'busybox', 'tar'], 'Ctrl-C in the middle of tests in two testbeds', () => {
  test('takes both down and leaves nothing', async () => {
    const place = workplace();
    const lingers = 'exec sleep 1000';
    const sources = ['one', 'two'].map((name) => makePackage(join(place, name), { tests: { lingers } }));
    const image = tinyImage(join(place, 'tiny.tar'));
    const env = { ...ownState(), XDG_CACHE_HOME: join(place, 'cache') };
    const words = ['run', '--json', '-B', '--parallel', '2', ...sources, '--', 'unshare', '--tarball', image];
    const running = new Cli(words, { env });
    const { run } = await running.event('run.started');
    for (const tb of ['tb1', 'tb2']) await running.event('test.started', ({ testbed }) => testbed === tb);
    running.kill('SIGINT');
    const end = await running.ended;
    expect([end.status, end.signal]).toEqual([130, null]);
    const events = eventsIn(end.stdout);
    const removed = events.filter((event) => event.type === 'testbed.removed');
    expect(removed.map(({ testbed, leftovers }) => [testbed, leftovers]).sort()).toEqual([
      ['tb1', []],
      ['tb2', []],
    ]);
    expect(resourcesLeft(events)).toEqual([]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(run);
    expect(events.at(-1)).toMatchObject({ type: 'run.concluded', exitCode: 130 });
    expect((await cli(['replay', run], { env })).status).toBe(0);
  });
});
