import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createMachines } from '../../src/machines/index.ts';
import { readTrace, replay } from '../../src/trace/index.ts';
import { EventLog } from '../support/eventLog.ts';
import { workplace } from '../support/workplace.ts';
import { makePackage } from './support/packages.ts';
import { runHere } from './support/runHere.ts';

/** `early` waits for `late`, which can only be where they run at once; each prints more than is held in memory. */
const MUCH = `head -c 600000 /dev/zero | tr '\\0' x | fold -w 80; echo`;
const CONTROL = ['early', 'skipped', 'late', 'last']
  .map((name) => `Tests: ${name}\nDepends:\n${name === 'skipped' ? 'Restrictions: strange\n' : ''}`)
  .join('\n');

describe('tests in several testbeds', () => {
  test('run at once, and are told of in their own order', async () => {
    const place = workplace();
    const mark = join(place, 'late-is-done');
    const source = makePackage(place, 'pkg', {
      control: CONTROL,
      tests: {
        early: `#!/bin/sh\necho early begins\nwhile [ ! -e ${mark} ]; do sleep 0.05; done\n${MUCH}\necho early ends\n`,
        skipped: '#!/bin/sh\n',
        late: `#!/bin/sh\necho late begins\n${MUCH}\ntouch ${mark}\necho late ends\n`,
        last: '#!/bin/sh\necho last >"$AUTOPKGTEST_ARTIFACTS/kept"\necho last\nexit 3\n',
      },
    });
    const [outputDir, trace] = [join(place, 'out'), join(place, 'trace')];
    let log: EventLog | undefined;
    const { report, stdout } = await runHere({
      ...{ source, outputDir, trace },
      testbeds: 3,
      onRun: (run) => {
        log = new EventLog(run.events$);
      },
    });
    expect(report).toMatchObject({ exitCode: 6, cause: { class: 'test-failed' } });
    expect(report.outcomes.map(({ test, outcome }) => `${test} ${outcome}`)).toEqual([
      'skipped skip',
      'early pass',
      'late pass',
      'last fail',
    ]);
    const read = (name: string) => readFileSync(join(outputDir, name), 'utf8');
    expect(read('summary').match(/^\w+/gm)).toEqual(['skipped', 'early', 'late', 'last']);
    const told = ['early begins', 'early ends', 'late begins', 'late ends', 'last'];
    const said = (text: string) => text.match(/^( *\d+s )?(early|late|last)( begins| ends)?$/gm);
    expect(said(stdout())).toEqual(told);
    expect(said(read('log'))?.map((line) => line.replace(/^ *\d+s /, ''))).toEqual(told);
    expect(read('artifacts/last/kept')).toBe('last\n');
    expect(read('late-stdout')).toHaveLength(600_000 + 7_500 + 'late begins\nlate ends\n'.length);

    expect(new Set(log?.all('test.started').map(({ testbed }) => testbed)).size).toBeGreaterThan(1);
    expect(log?.all('testbed.removed').map(({ leftovers }) => leftovers)).toEqual(
      log?.all('testbed.requested').map(() => []),
    );
    expect(await replay(await readTrace(trace), { createMachines })).toMatchObject({ same: true });
  });

  test('are all taken down when the run is told to end', async () => {
    const place = workplace();
    const forever = '#!/bin/sh\necho begun\nexec sleep 1000\n';
    const source = makePackage(place, 'pkg', {
      control: 'Tests: one two\nDepends:\n',
      tests: { one: forever, two: forever },
    });
    const stop = new AbortController();
    let log: EventLog | undefined;
    const { report } = await runHere({
      ...{ source, testbeds: 2, signal: stop.signal, trace: join(place, 'trace') },
      onRun: (run) => {
        log = new EventLog(run.events$);
        let begun = 0;
        run.events$.subscribe(({ type }) => {
          if (type === 'test.started') begun += 1;
          if (type === 'test.started' && begun === 2) queueMicrotask(() => stop.abort());
        });
      },
    });
    expect(report).toMatchObject({ exitCode: 130, cause: { class: 'operator-interrupted' }, outcomes: [] });
    expect(
      log
        ?.all('testbed.removed')
        .map(({ testbed }) => testbed)
        .sort(),
    ).toEqual(['tb1', 'tb2']);
    expect(readdirSync(place).sort()).toEqual(['pkg', 'trace']);
  });

  test('do not need more testbeds than there are tests, nor a person’s shell', async () => {
    const place = workplace();
    const source = makePackage(place, 'pkg', { control: 'Tests: one\nDepends:\n', tests: { one: '#!/bin/sh\n' } });
    let log: EventLog | undefined;
    const { report } = await runHere({
      ...{ source, testbeds: 8 },
      onRun: (run) => {
        log = new EventLog(run.events$);
      },
    });
    expect(report.exitCode).toBe(0);
    expect(log?.all('testbed.requested')).toHaveLength(1);
    await expect(runHere({ source, testbeds: 2, shell: 'always' })).rejects.toThrow('--parallel');
  });
});
