import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Phase } from '../../src/events/index.ts';
import { cli } from '../e2e/support/cli.ts';
import { describeWith } from '../support/needs.ts';
import { remainsOf } from './support/outside.ts';
import { PROVIDERS, type ProviderKind } from './support/providers.ts';
import { MOMENTS, type Moment, moment, type StruckRun, strike, whenSignalled } from './support/struckRun.ts';
import { useProvider } from './support/useProvider.ts';

/** Moments that are the same work on every backend, or that few can have: on the quickest ones. */
const MORE: readonly (readonly [of: readonly ProviderKind['name'][], Moment])[] = [
  [['chroot', 'podman'], moment('ssh-ready', '"endpoint.announced"', 'boot')],
  [['chroot', 'podman'], moment('copy', '"copy.started"', 'exec')],
  [
    ['chroot', 'lxc'],
    {
      ...moment('revert', '"revert.requested"', 'exec'),
      tests: { breaks: { script: 'true', restrictions: 'breaks-testbed' }, smoke: 'true' },
    },
  ],
  [
    ['lxc'],
    {
      ...moment('reboot', '"reboot.requested"', 'exec'),
      tests: { smoke: { script: '/tmp/autopkgtest-reboot mark', restrictions: 'needs-reboot needs-root' } },
    },
  ],
];

/**
 * Where a signal that was sent as a phase begins may find a run: a session of schroot is up as soon as it is made, and
 * logged in to while it is made, so that all up to its first command is told at once.
 */
function whereFound(name: string, phase: Phase): readonly Phase[] {
  return name === 'schroot' && phase === 'boot' ? ['boot', 'ssh-ready', 'exec'] : [phase];
}

for (const kind of PROVIDERS) {
  const { name, needs } = kind;
  describeWith([...needs, 'proc'], `a run on ${name}`, () => {
    const used = useProvider(kind);

    const moments = [...MOMENTS, ...MORE.flatMap(([of, each]) => (of.includes(name) ? [each] : []))];

    /** Looks from outside, and asks the backend's own program. */
    async function expectNothingLeft({ run, env }: StruckRun): Promise<void> {
      expect(run).not.toBe('');
      // What watched a container that is gone takes a moment to die.
      await expect.poll(() => remainsOf(run, [env.TMPDIR, env.XDG_CACHE_HOME]), { timeout: 20_000 }).toEqual([]);
      expect(readdirSync(env.TMPDIR)).toEqual([]);
      expect(used.provider.testbeds?.(run) ?? []).toEqual([]);
    }

    test.each(moments)('that gets SIGTERM in the phase $phase ends in order', async (hit) => {
      const struck = await strike(used.words(), 'SIGTERM', hit);
      expect([struck.end.status, struck.end.signal]).toEqual([143, null]);
      const taken = whenSignalled(struck.events);
      expect(whereFound(name, hit.phase)).toContain(taken);
      expect(await struck.explained()).toMatchObject({
        exitCode: 143,
        cause: { class: 'operator-interrupted', phase: taken, detail: 'SIGTERM' },
        left: [],
        interrupted: null,
      });
      await expectNothingLeft(struck);
    });

    test.each(moments)('that gets SIGKILL in the phase $phase is finished by reap', async (hit) => {
      const struck = await strike(used.words(), 'SIGKILL', hit);
      expect(struck.end.signal).toBe('SIGKILL');
      // The last that happened may not have reached the trace.
      const { interrupted } = await struck.explained();
      const may = hit.before === null ? [hit.phase] : [hit.before, hit.phase];
      expect(may.flatMap((each) => whereFound(name, each))).toContain(interrupted?.phase);
      const reaped = await cli(['reap', '--json', struck.trace], { env: struck.env });
      expect(JSON.parse(reaped.stdout).runs).toMatchObject([{ outcome: 'finished', left: [], concluded: true }]);
      expect(await struck.explained()).toMatchObject({
        exitCode: 20,
        cause: { class: 'runner-killed', phase: interrupted?.phase },
        left: [],
        interrupted: null,
      });
      await expectNothingLeft(struck);
    });
  });
}
