import { classOfUnwritable, VERSION } from '../../events/index.ts';
import {
  configureBackend,
  createRun,
  type KeepWhen,
  type KeptResult,
  keptResult,
  lineOfNotKept,
  linesOfKept,
  type OpenOptions,
  type Run,
  type RunEnd,
  refusalOfKeep,
  type Testbed,
  TestbedError,
} from '../../testbed/index.ts';
import { hiding } from '../../trace/index.ts';
import type { Io } from '../Io.ts';
import type { KeepFlag } from '../keepOption.ts';
import { type PageOptions, pageOf } from '../pageOptions.ts';
import type { SessionFlags } from '../sessionOptions.ts';
import { UsageError } from '../UsageError.ts';
import { LivePage } from './LivePage.ts';
import { secretVariables } from './secretVariables.ts';
import { type TraceHome, tidyRuns, traceHome, withRemedy } from './traceHome.ts';
import { Watch } from './Watch.ts';
import { writeReport } from './writeReport.ts';

/** A session: one testbed, opened for something other than tests. */
export interface Session {
  readonly testbed: Testbed;
  readonly watch: Watch;
  /** Aborts where the run is to end, or where nothing can be printed any more: for what is done in the testbed. */
  readonly signal: AbortSignal;
  /** The backend's words, secrets taken out. */
  readonly where: readonly string[];
  /** The variables of --secret-env, as `NAME=VALUE`. */
  readonly secretEnv: readonly string[];
}

/** How a session ended. */
export interface SessionEnd<T> {
  /** What was made of the testbed; null where it did not come to that. */
  readonly value: T | null;
  readonly end: RunEnd;
  /** The testbed, where it stays. */
  readonly kept: readonly KeptResult[];
  readonly home: TraceHome;
  readonly watch: Watch;
}

/** What is done in a session. */
export interface Use<T> {
  /** Does it. */
  run(session: Session): Promise<T>;
  /** Whether it failed, so that a person may want to look at the testbed. */
  failed(value: T): boolean;
  /** Tells a person how it ended. @returns the exit code */
  tell(ended: SessionEnd<T>): Promise<number>;
}

/**
 * Opens a testbed, does something with it, closes it again, and tells of it. Throws nothing that happens in the run.
 * @returns the exit code
 */
export async function inSession<T>(
  io: Io,
  backendWords: readonly string[],
  flags: SessionFlags & PageOptions & KeepFlag,
  use: Use<T>,
): Promise<number> {
  const { assignments: secretEnv, secrets } = secretVariables(flags.secretEnv, io.env);
  const backend = await configureBackend(backendWords);
  const { keep = 'never' } = flags;
  const notKept = refusalOfKeep(keep, backend);
  if (notKept !== null) throw new UsageError(notKept);
  const home = traceHome({ trace: flags.trace }, io.env);
  const watch = await Watch.open(io, { debug: flags.debug ?? false, live: true, lines: false, secrets });
  const run = begin(home, watch, secrets);
  watch.begin(run, home, { keeps: keep === 'always' });
  const page = pageOf(flags, 'off');
  const live = page.inspect ? LivePage.open(home, page, watch, io) : null;
  const lost = new AbortController();
  io.onOutputLost = (readerGone) => {
    if (readerGone) watch.endForLackOfReader();
    else lost.abort(new Error('standard output cannot be written'));
  };
  run.emit({
    type: 'run.started',
    testbed: null,
    from: 'runner',
    tests: false,
    trundle: VERSION,
    sources: [],
    backend: [...backend.words],
  });
  const signal = AbortSignal.any([run.aborted, lost.signal]);
  const open = () => run.openTestbed(backend, openOptions(flags));
  const kept: KeptResult[] = [];
  const value = await useTestbed(run, open, {
    use: (testbed) => use.run({ testbed, watch, signal, where: backend.words, secretEnv }),
    close: async (testbed, failed) => {
      const closed = await testbed.close({ keep: wants(keep, run, failed) });
      if (closed.kept !== null) kept.push(keptResult(closed.kept, run));
      if (closed.whyNotKept !== null) watch.say(lineOfNotKept(testbed.id, closed.whyNotKept));
    },
    failed: use.failed,
  });
  const { outputError } = io;
  if (outputError !== null) tellOutputLost(run, outputError);
  // The run's end tells it from now on.
  io.outputError = null;
  const end = hiding(secrets).event(await run.close());
  watch.end();
  for (const line of kept.flatMap((each) => linesOfKept(each))) watch.say(line);
  const exitCode = await use.tell({ value, end, kept, home, watch });
  await writeReport(page.report, exitCode !== 0, { home, outputDir: undefined }, watch);
  watch.release();
  await live?.end(end.cause?.class === 'operator-interrupted');
  await tidyRuns(io.env);
  return exitCode;
}

function tellOutputLost(run: Run, { message, ...error }: NodeJS.ErrnoException): void {
  const doing = 'writing to standard output';
  const cause = {
    class: classOfUnwritable(error.code ?? null),
    phase: 'exec' as const,
    doing,
    detail: message,
    evidence: [],
  };
  run.emit({ type: 'step.failed', testbed: null, from: 'runner', doing, cause });
}

/** @throws UsageError where the trace has no place to stand */
function begin(home: TraceHome, watch: Watch, secrets: readonly string[]): Run {
  try {
    return createRun({
      trace: home.directory,
      id: home.run,
      secrets,
      ...(watch.log === null ? {} : { log: watch.log }),
    });
  } catch (error) {
    throw withRemedy(error, home);
  }
}

/** What of the flags concerns the opening of a testbed. Pure. */
export function openOptions({ deadline, maxConnections }: SessionFlags): OpenOptions {
  return {
    ...(deadline === undefined ? {} : { deadlines: deadline }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  };
}

/** As with `trundle run`: that a person ended it is no failure. */
function wants(keep: KeepWhen, run: Run, failed: boolean): boolean {
  return keep === 'always' || (keep === 'on-failure' && failed && !run.aborted.aborted);
}

interface Usage<T> {
  use(testbed: Testbed): Promise<T>;
  failed(value: T): boolean;
  close(testbed: Testbed, failed: boolean): Promise<void>;
}

async function useTestbed<T>(
  run: Run,
  open: () => Promise<Testbed>,
  { use, failed, close }: Usage<T>,
): Promise<T | null> {
  try {
    const testbed = await open();
    run.forced.addEventListener('abort', () => void testbed.close({ force: true, reason: 'the operator insisted' }), {
      once: true,
    });
    let wrong = true;
    try {
      const value = await use(testbed);
      wrong = failed(value);
      return value;
    } finally {
      await close(testbed, wrong);
    }
  } catch (error) {
    // What a testbed fails of is in the trace, and so in the run's end.
    if (error instanceof TestbedError) return null;
    const detail = error instanceof Error ? error.message : String(error);
    const doing = 'using the testbed';
    run.emit({
      type: 'step.failed',
      testbed: null,
      from: 'runner',
      doing,
      cause: { class: 'internal-error', phase: 'exec', doing, detail, evidence: [] },
    });
    return null;
  }
}
