import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Phase, TrundleEvent } from '../../src/events/index.ts';
import { explain, readTrace } from '../../src/trace/index.ts';
import { foldStage } from '../../src/trace/stage.ts';
import { Cli, cli, eventsIn } from '../e2e/support/cli.ts';
import { describeWith } from '../support/needs.ts';
import { makePackage } from '../support/packages.ts';
import { workplace } from '../support/workplace.ts';
import { remainsOf } from './support/outside.ts';
import { PROVIDERS } from './support/providers.ts';
import { useProvider } from './support/useProvider.ts';

const KILLS_ITSELF = fileURLToPath(new URL('../fixtures/killsItself.mjs', import.meta.url));

/** Where a run is hit: as it begins to make something, as it starts it, in a test, and as it takes it down. */
const PHASES: readonly { phase: Phase; at: string; script: string }[] = [
  { phase: 'provision', at: '"resource.acquired".*("(container|session)"|/images/)', script: 'true' },
  { phase: 'boot', at: '"provision.completed"', script: 'true' },
  { phase: 'exec', at: '"test.started"', script: 'sleep 1000 & sleep 1000' },
  { phase: 'teardown', at: '"teardown.requested"', script: 'true' },
];

/**
 * Where a signal that was sent as a phase begins may find a run: a session of schroot is up as soon as it is made, and
 * logged in to while it is made, so that all up to its first command is told at once.
 */
function whereFound(name: string, phase: Phase): readonly Phase[] {
  return name === 'schroot' && phase === 'boot' ? ['boot', 'ssh-ready', 'exec'] : [phase];
}

/** The phase that a run was in when it took notice of a signal. */
function whenSignalled(events: readonly TrundleEvent[]): Phase {
  const stage = foldStage();
  for (const event of events) {
    if (event.type === 'operator.signalled') break;
    stage.see(event);
  }
  return stage.result().phase;
}

for (const kind of PROVIDERS) {
  const { name, needs } = kind;
  describeWith([...needs, 'proc'], `a run on ${name}`, () => {
    const used = useProvider(kind);

    /** A run that gets a signal at the very moment at which the phase begins. */
    async function hit(signal: NodeJS.Signals, { at, script }: (typeof PHASES)[number]) {
      const place = workplace();
      const env = { TMPDIR: workplace(), XDG_CACHE_HOME: workplace(), XDG_STATE_HOME: workplace() };
      const source = makePackage(place, { tests: { smoke: script } });
      const trace = join(place, 'trace');
      const words = ['run', '--json', '--trace', trace, source, '--', ...used.words()];
      const set = { ...env, TRUNDLE_TEST_SIGNAL: signal, TRUNDLE_TEST_AT: at };
      const end = await new Cli(words, { env: set, preload: [KILLS_ITSELF] }).ended;
      const events = eventsIn(end.stdout);
      const explained = async () => await explain(await readTrace(trace));
      return { end, env, trace, events, explained, run: events[0]?.run ?? '' };
    }

    /** Looks from outside, and asks the backend's own program. */
    async function expectNothingLeft({ run, env }: Awaited<ReturnType<typeof hit>>): Promise<void> {
      expect(run).not.toBe('');
      // What watched a container that is gone takes a moment to die.
      await expect.poll(() => remainsOf(run, [env.TMPDIR, env.XDG_CACHE_HOME]), { timeout: 20_000 }).toEqual([]);
      expect(readdirSync(env.TMPDIR)).toEqual([]);
      expect(used.provider.testbeds?.(run) ?? []).toEqual([]);
    }

    test.each(PHASES)('that gets SIGTERM in the phase $phase ends in order', async (phase) => {
      const struck = await hit('SIGTERM', phase);
      expect([struck.end.status, struck.end.signal]).toEqual([143, null]);
      const taken = whenSignalled(struck.events);
      expect(whereFound(name, phase.phase)).toContain(taken);
      expect(await struck.explained()).toMatchObject({
        exitCode: 143,
        cause: { class: 'operator-interrupted', phase: taken, detail: 'SIGTERM' },
        left: [],
        interrupted: null,
      });
      await expectNothingLeft(struck);
    });

    test.each(PHASES)('that gets SIGKILL in the phase $phase is finished by reap', async (phase) => {
      const struck = await hit('SIGKILL', phase);
      expect(struck.end.signal).toBe('SIGKILL');
      // The last that happened may not have reached the trace.
      const { interrupted } = await struck.explained();
      expect(
        PHASES.slice(0, PHASES.indexOf(phase) + 1)
          .slice(-2)
          .flatMap(({ phase: known }) => whereFound(name, known)),
      ).toContain(interrupted?.phase);
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
