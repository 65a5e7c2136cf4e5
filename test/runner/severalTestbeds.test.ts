import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { BackendError } from '../../src/backends/contract.ts';
import { createMachines } from '../../src/machines/index.ts';
import type { RunTestsOptions } from '../../src/runner/index.ts';
import { readTrace, replay } from '../../src/trace/index.ts';
import { EventLog } from '../support/eventLog.ts';
import { tinyImage } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { faultyHere } from './support/faultyHere.ts';
import { makePackage } from './support/packages.ts';
import { runHere } from './support/runHere.ts';

/** Each of these fails where another has been before it. */
const SOILS = '#!/bin/sh\nset -e\n[ ! -e /etc/soiled ]\ntouch /etc/soiled\nrm /etc/hostname\necho $0 was here\n';
const STANZA = (name: string) => `Tests: ${name}\nDepends:\nRestrictions: breaks-testbed, needs-root\n`;

/** A run on unshare, with an image of a moment and a cache of its own. */
async function onUnshare(options: Omit<RunTestsOptions, 'backend' | 'terminal'>) {
  vi.stubEnv('XDG_CACHE_HOME', workplace());
  onTestFinished(() => void vi.unstubAllEnvs());
  const trace = join(workplace(), 'trace');
  const image = tinyImage(join(workplace(), 'tiny.tar'));
  let log: EventLog | undefined;
  const onRun: RunTestsOptions['onRun'] = (run) => {
    log = new EventLog(run.events$);
  };
  const { report } = await runHere({ ...options, trace, onRun }, ['unshare', '--tarball', image]);
  expect(await replay(await readTrace(trace), { createMachines })).toMatchObject({ same: true });
  const all = <T extends Parameters<EventLog['all']>[0]>(type: T) => log?.all(type) ?? [];
  expect(all('testbed.removed').map((event) => 'leftovers' in event && event.leftovers)).toEqual(
    all('testbed.requested').map(() => []),
  );
  return { report, all };
}

describeWith(['root', 'unshare', 'busybox', 'tar'], 'on unshare', () => {
  test('tests that break their testbed run at once, each in one that was put back', async () => {
    const names = ['one', 'two', 'three', 'four', 'five'];
    const source = makePackage(workplace(), 'pkg', {
      control: names.map(STANZA).join('\n'),
      tests: Object.fromEntries(names.map((name) => [name, SOILS])),
    });
    const { report, all } = await onUnshare({ source, testbeds: 2 });
    expect(report.outcomes.map((each) => `${each.test} ${each.outcome}`)).toEqual(names.map((name) => `${name} pass`));
    expect(report).toMatchObject({ exitCode: 0, cause: null });
    expect(all('testbed.requested')).toHaveLength(2);
    expect(all('reset.completed').length).toBe(
      names.length - new Set(all('test.started').map((event) => event.testbed)).size,
    );
  });

  test('packages share testbeds that are put back in between', async () => {
    const place = workplace();
    const source = ['a', 'b', 'c', 'd'].map((name) =>
      makePackage(place, name, { control: STANZA('soils'), tests: { soils: SOILS } }),
    );
    const { report, all } = await onUnshare({ source });
    expect(report.packages.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
    expect(all('testbed.requested')).toHaveLength(1);
    expect(all('reset.completed')).toHaveLength(3);
    const two = await onUnshare({ source, testbeds: 2 });
    expect(two.report).toMatchObject({ exitCode: 0, cause: null });
    expect(two.all('testbed.requested')).toHaveLength(2);
    expect(two.all('reset.completed')).toHaveLength(2);
  });
});

describe('a second testbed that cannot be had', () => {
  /** Two tests, of which the first waits for the second testbed to be refused. */
  async function refused(retries: number) {
    const place = workplace();
    const over = join(place, 'over');
    const source = makePackage(place, 'pkg', {
      control: 'Tests: one two\nDepends:\n',
      tests: { one: `#!/bin/sh\nwhile [ ! -e ${over} ]; do sleep 0.05; done\n`, two: `#!/bin/sh\ntouch ${over}\n` },
    });
    const host = await faultyHere({
      instead: (verb, testbed) =>
        `${verb} ${testbed}` === 'create tb2' ? Promise.reject(new BackendError('full', 'no room for another')) : null,
    });
    const onRun: RunTestsOptions['onRun'] = (run) => {
      run.events$.subscribe(({ type, testbed }) => {
        if (retries === 0 && type === 'testbed.removed' && testbed === 'tb2') writeFileSync(over, '');
      });
    };
    return { ...(await runHere({ source, testbeds: 2, retries, onRun }, host.backend)), host };
  }

  test('ends the run with 16, once the test in the first has come to its end', async () => {
    const { report, host } = await refused(0);
    expect(report).toMatchObject({ exitCode: 16, cause: { class: 'provision-failed' } });
    expect(report.outcomes.map((each) => `${each.test} ${each.outcome}`)).toEqual(['one pass']);
    expect(host.done).toEqual(['create tb1', 'create tb2']);
  });

  test('is replaced by a third where that is asked for', async () => {
    const { report, host } = await refused(1);
    expect(report).toMatchObject({ exitCode: 0, cause: null });
    expect(host.done).toEqual(['create tb1', 'create tb2', 'create tb3']);
  });
});
