import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Phase, TrundleEvent } from '../../../src/events/index.ts';
import { type Explanation, explain, readTrace } from '../../../src/trace/index.ts';
import { foldStage } from '../../../src/trace/stage.ts';
import { Cli, type CliEnd, eventsIn } from '../../e2e/support/cli.ts';
import { makePackage, type PackagePlan } from '../../support/packages.ts';
import { workplace } from '../../support/workplace.ts';

const KILLS_ITSELF = fileURLToPath(new URL('../../fixtures/killsItself.mjs', import.meta.url));

/** A moment of a run at which it is hit. */
export interface Moment {
  readonly phase: Phase;
  /** What the event that begins it is known by, as --json prints it. */
  readonly at: string;
  readonly tests: NonNullable<PackagePlan['tests']>;
  /** The phase before: the last that happened may not have reached the trace of a run that is killed. */
  readonly before: Phase | null;
}

/** How a run ended that was hit, and what it worked with. */
export interface StruckRun {
  readonly end: CliEnd;
  readonly env: Readonly<Record<'TMPDIR' | 'XDG_CACHE_HOME' | 'XDG_STATE_HOME', string>>;
  readonly trace: string;
  readonly events: readonly TrundleEvent[];
  readonly run: string;
  explained(): Promise<Explanation>;
}

/** Where most runs can be hit: as they begin to make something, as they start it, in a test, as they take it down. */
export const MOMENTS = [
  moment('provision', '"resource.acquired".*("(container|session)"|/images/)', null),
  moment('boot', '"provision.completed"', 'provision'),
  moment('exec', '"test.started"', 'boot', 'sleep 1000 & sleep 1000'),
  moment('teardown', '"teardown.requested"', 'exec'),
] as const;

/** A moment in the run of a package with one test. */
export function moment(phase: Phase, at: string, before: Phase | null, script = 'true'): Moment {
  return { phase, at, before, tests: { smoke: script } };
}

/** A run of the program that gets a signal at the very moment at which a phase begins. */
export async function strike(words: readonly string[], signal: NodeJS.Signals, struck: Moment): Promise<StruckRun> {
  const place = workplace();
  const env = { TMPDIR: workplace(), XDG_CACHE_HOME: workplace(), XDG_STATE_HOME: workplace() };
  const source = makePackage(place, { tests: struck.tests });
  const trace = join(place, 'trace');
  const all = ['run', '--json', '--trace', trace, source, '--', ...words];
  const set = { ...env, TRUNDLE_TEST_SIGNAL: signal, TRUNDLE_TEST_AT: struck.at };
  const end = await new Cli(all, { env: set, preload: [KILLS_ITSELF] }).ended;
  const events = eventsIn(end.stdout);
  const explained = async () => await explain(await readTrace(trace));
  return { end, env, trace, events, explained, run: events[0]?.run ?? '' };
}

/** The phase that a run was in when it took notice of a signal. */
export function whenSignalled(events: readonly TrundleEvent[]): Phase {
  const stage = foldStage();
  for (const event of events) {
    if (event.type === 'operator.signalled') break;
    stage.see(event);
  }
  return stage.result().phase;
}
