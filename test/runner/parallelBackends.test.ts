import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TrundleEvent } from '../../src/events/index.ts';
import { createMachines } from '../../src/machines/index.ts';
import type { RunTestsOptions } from '../../src/runner/index.ts';
import { readTrace, replay } from '../../src/trace/index.ts';
import { defineChroot } from '../support/chroots.ts';
import { rootPodman } from '../support/containers.ts';
import { EventLog } from '../support/eventLog.ts';
import { IMAGE_PATIENCE, tinyImage, tinyRoot } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { makePackage } from './support/packages.ts';
import { runHere } from './support/runHere.ts';

/** A backend whose testbeds can be taken away from outside. */
interface Place {
  /** Its words, for one test. */
  backend(): string[];
  /** Kind of the resource that is the testbed. */
  readonly kind: string;
  takeAway(name: string): void;
  done(): unknown;
}

function onSchroot(): Place {
  const chroot = defineChroot((directory) => ({
    type: 'directory',
    directory: tinyRoot(join(directory, 'root')),
    'union-type': 'overlay',
  }));
  return {
    backend: () => ['schroot', chroot.name],
    kind: 'session',
    takeAway: (name) => void spawnSync('schroot', ['--end-session', '--force', '--chroot', name]),
    done: () => chroot[Symbol.dispose](),
  };
}

function onPodman(): Place {
  const podman = rootPodman();
  const image = () => podman.image(tinyImage(join(workplace(), 'tiny.tar')));
  return {
    backend: () => ['podman', '--program', podman.program, image()],
    kind: 'container',
    takeAway: (name) => void podman.run('rm', '--force', '--time=0', name),
    done: () => podman[Symbol.asyncDispose](),
  };
}

const NAMES = ['one', 'two', 'three'];
/** Fails where another test has been before. */
const SOILS = '#!/bin/sh\nset -e\n[ ! -e /etc/soiled ]\ntouch /etc/soiled\necho $0 was here\n';
const CONTROL = NAMES.map((name) => `Tests: ${name}\nDepends:\nRestrictions: needs-root\n`).join('\n');

async function tested(
  { backend }: Place,
  options: Omit<RunTestsOptions, 'backend' | 'terminal' | 'source'>,
  script: string,
) {
  const place = workplace();
  const source = makePackage(place, 'pkg', {
    control: CONTROL,
    tests: Object.fromEntries(NAMES.map((name) => [name, script])),
  });
  const trace = join(place, 'trace');
  let log: EventLog | undefined;
  const onRun: RunTestsOptions['onRun'] = (run) => {
    log = new EventLog(run.events$);
    options.onRun?.(run);
  };
  const { report, stderr } = await runHere({ ...options, source, trace, onRun }, backend());
  expect(await replay(await readTrace(trace), { createMachines })).toMatchObject({ same: true });
  const all = <T extends Parameters<EventLog['all']>[0]>(type: T) => log?.all(type) ?? [];
  return { report, all, outcomes: report.outcomes.map((each) => `${each.test} ${each.outcome}`), said: stderr() };
}

const PASSED = NAMES.map((name) => `${name} pass`);

function suite(make: () => Place): void {
  let place: Place;
  beforeAll(() => {
    place = make();
  }, IMAGE_PATIENCE);
  afterAll(() => place?.done());

  it('runs tests in two testbeds, each put back before another test', { timeout: IMAGE_PATIENCE }, async () => {
    const { report, all, outcomes, said } = await tested(place, { testbeds: 2 }, SOILS);
    expect(report, said).toMatchObject({ exitCode: 0, cause: null });
    expect(outcomes).toEqual(PASSED);
    expect(all('testbed.requested')).toHaveLength(2);
    expect(new Set(all('test.started').map(({ testbed }) => testbed)).size).toBe(2);
  });

  it('goes on in another testbed where one was taken away under a test', { timeout: IMAGE_PATIENCE }, async () => {
    const turn = join(workplace(), 'turn');
    writeFileSync(turn, 'first\n');
    const names = new Map<string | null, string>();
    let taken: string | null = null;
    const onRun: RunTestsOptions['onRun'] = (run) => {
      run.events$.subscribe((event: TrundleEvent) => {
        if (event.type === 'resource.acquired' && event.kind === place.kind) names.set(event.testbed, event.name);
        if (event.type === 'test.started' && taken === null) {
          taken = event.testbed;
          const name = names.get(taken) ?? '';
          // Not within the run's own course.
          setImmediate(() => {
            writeFileSync(turn, 'second\n');
            place.takeAway(name);
          });
        }
      });
    };
    // In the testbed that is taken away it would never end; in the other it passes.
    const script = '#!/bin/sh\n[ "$(cat /etc/turn)" = second ] || exec sleep 1000\n';
    const options = { retries: 1, onRun, copy: [`${turn}:/etc/turn`] };
    const { report, all, outcomes, said } = await tested(place, options, script);
    expect(report, said).toMatchObject({ exitCode: 0, cause: null });
    expect(outcomes).toEqual(PASSED);
    expect(all('retry.granted')).toHaveLength(1);
    expect(all('testbed.removed').map(({ leftovers }) => leftovers)).toEqual([[], []]);
  });
}

describeWith(['root', 'schroot', 'busybox', 'overlay'], 'tests on schroot', () => suite(onSchroot));
describeWith(['root', 'podman', 'runc', 'busybox', 'tar'], 'tests on podman', () => suite(onPodman));
