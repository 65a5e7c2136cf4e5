import type { Readable } from 'node:stream';
import type { Clock, TrundleEvent } from '../../events/index.ts';
import type { CommandEnd, Messenger, Run, RunningCommand, Testbed } from '../../testbed/index.ts';
import { StepError } from '../errors.ts';
import { causeOfError } from '../failures.ts';
import { type OutputDirectory, openSink, type Sink } from '../output/OutputDirectory.ts';
import { divider, type RunLog } from '../output/RunLog.ts';
import { StderrKeeper } from '../output/StderrKeeper.ts';
import type { PlannedTest } from '../plan/planTests.ts';
import type { Reboots } from './Reboots.ts';
import { Unseen } from './Unseen.ts';
import { judged, reportLine } from './verdict.ts';

/** What one test's run needs. */
export interface TestRunContext {
  readonly run: Run;
  readonly testbed: Testbed;
  readonly clock: Clock;
  readonly log: RunLog;
  readonly output: OutputDirectory | null;
  readonly signal: AbortSignal;
  /** The package, where the run has several. */
  readonly package: string | null;
}

/** A test's id in the run, which may have tests of the same name in other packages. Pure. */
export function idInRun({ package: name }: Pick<TestRunContext, 'package'>, { id }: PlannedTest): string {
  return name === null ? id : `${name}/${id}`;
}

/** The command that is the test. */
export interface TestCommand {
  /** @param mark with which it goes on after a reboot; null where it begins */
  readonly argv: (mark: string | null) => readonly string[];
  readonly login: string;
  /** Milliseconds. */
  readonly timeout: number;
  /** null where the testbed cannot reboot. */
  readonly reboots: Pick<Reboots, 'clear' | 'takeMark' | 'whenPrepared' | 'reboot'> | null;
  /**
   * Ends what the test left running, and tells of it.
   * @param script to be run before, as by a `Messenger`
   */
  readonly lookAfter: (script: string | null) => Promise<Left>;
  /** Whether that takes no session, and so may be done by the way when its process group is ended. */
  readonly early: boolean;
  /** Called after each reboot. */
  readonly onRebooted: (mark: string) => void;
}

/** What a test left. */
export interface Left {
  /** Processes that had to be ended. */
  readonly processes: readonly string[];
  /** What the script printed; null where none was run. */
  readonly answer: string | null;
}

/**
 * Milliseconds for the last words of what a test started: what it leaves running is ended then, and what it prints
 * meanwhile counts. autopkgtest ends it as soon as it has found it.
 */
const LAST_WORDS = 250;

/**
 * Runs one prepared test: its output goes live to the log, the terminal and its own files, its end to the run
 * machine, the verdict to the summary.
 * @throws StepError where the testbed, not the test, came to an end, or where the host's disk is full
 */
export async function runTest(
  context: TestRunContext,
  planned: PlannedTest,
  command: TestCommand,
): Promise<TrundleEvent<'test.judged'>> {
  const { run, testbed, log } = context;
  const { name, restrictions, program } = planned.definition;
  if (program.kind === 'command') log.info(`test ${name}: ${program.command}`);
  log.info(`test ${name}: [-----------------------`);

  const keeping: Keeping = {
    stdout: new LazyFile(context.output, `${planned.id}-stdout`),
    stderr: new LazyFile(context.output, `${planned.id}-stderr`),
    beginning: new StderrKeeper(),
  };
  const stderr = keeping.beginning;
  let end: CommandEnd;
  const unseen = new Unseen(run);
  let looked: Promise<Left> | null = null;
  const sweepBy: Messenger = (script) => {
    looked = command.lookAfter(script);
    // Who awaits it hears of it.
    return looked.then(
      ({ answer }) => answer,
      () => null,
    );
  };
  try {
    end = await runThrough(context, planned, command, keeping, sweepBy);
  } finally {
    unseen.stop();
    keeping.stdout.close();
    keeping.stderr.close();
  }

  log.info(`test ${name}: -----------------------]`);
  const endedByItself =
    end.result.kind === 'exited' || end.result.kind === 'signalled' || end.result.kind === 'timed-out';
  const over = end.cause === null && endedByItself;
  const left = over ? await leftBy(command, end, looked) : [];
  if (end.leaked || left.length > 0) log.warning(`test ${name}: it left processes behind; they were ended`);
  for (const process of left) log.info(`test ${name}: ended ${process}`);
  if (end.leaked === null && left.length === 0)
    log.warning(`test ${name}: nobody can tell whether it left processes behind${unseen.why(end.command)}`);
  const finished = () =>
    run.emit({
      type: 'test.finished',
      testbed: testbed.id,
      from: 'runner',
      test: idInRun(context, planned),
      result: end.result,
      stderrBytes: stderr.bytes,
      stderrLine: stderr.firstLine,
      leaked: left.length > 0 ? true : end.leaked,
      cause: end.cause,
    });
  if (!over) {
    finished();
    const doing = `running test ${name}`;
    const interrupted = {
      class: 'operator-interrupted',
      phase: 'exec',
      doing,
      detail: 'the test was cancelled',
      evidence: [],
    } as const;
    throw new StepError(doing, end.cause ?? { ...interrupted, evidence: [] });
  }

  const verdict = await judged(run, context.clock, idInRun(context, planned), finished);
  if (end.result.kind === 'timed-out')
    log.error(`test ${name} ran for more than ${end.result.after / 1000} s and was ended`);
  log.info(`test ${name}: ${divider('results')}`);
  log.report(name, reportLine(verdict.outcome, verdict.reason, restrictions.includes('superficial')));
  if (stderr.bytes > 0 && !restrictions.includes('allow-stderr')) await showAgain(context, name, stderr);
  return verdict;
}

/** Processes that had to be ended; asked again where they were asked about before the test's group was gone. */
async function leftBy(
  { lookAfter }: TestCommand,
  { leaked }: CommandEnd,
  looked: Promise<Left> | null,
): Promise<readonly string[]> {
  const { processes, answer } = (await looked) ?? { processes: [], answer: null };
  if (looked !== null && (answer !== null || leaked === false)) return processes;
  return [...processes, ...(await lookAfter(null)).processes];
}

/** Runs the test, and runs it again after each reboot that it asks for. @throws StepError, TestbedError */
async function runThrough(
  context: TestRunContext,
  planned: PlannedTest,
  { argv, login, timeout, reboots, onRebooted, early }: TestCommand,
  keeping: Keeping,
  sweepBy: Messenger,
): Promise<CommandEnd> {
  const { run, testbed, log } = context;
  const test = idInRun(context, planned);
  let mark: string | null = null;
  for (;;) {
    await reboots?.clear();
    const abort = new AbortController();
    const signal = AbortSignal.any([context.signal, abort.signal]);
    // Whether it wants to go on after a reboot is not known yet when it has ended.
    const beside = early && reboots === null ? { sweepBy } : {};
    const running = testbed.start(argv(mark), { login, timeout, sweep: true, drain: LAST_WORDS, signal, ...beside });
    const told = { testbed: testbed.id, from: 'runner', test, command: running.command } as const;
    run.emit(mark === null ? { type: 'test.started', ...told } : { type: 'test.resumed', ...told, mark });
    const following = follow(context, test, running, keeping, abort);
    const prepared = reboots === null ? null : await firstOf(following, reboots);
    if (reboots !== null && prepared !== null) {
      log.info(`test process requested preparation for reboot with marker ${prepared}`);
      run.emit({ type: 'test.suspended', testbed: testbed.id, from: 'runner', test, mark: prepared });
      await reboots.reboot('test');
      // It ended with the boot, or before; if its output could not be kept, that counts.
      await following;
      onRebooted(prepared);
      mark = prepared;
      continue;
    }
    const end = await following;
    mark = reboots !== null && wasKilled(end) ? await reboots.takeMark() : null;
    if (reboots === null || mark === null) return end;
    log.info(`test process requested reboot with marker ${mark}`);
    run.emit({ type: 'test.suspended', testbed: testbed.id, from: 'runner', test, mark });
    await reboots.reboot();
    onRebooted(mark);
  }
}

/** The mark of a test that is about to reboot the testbed itself; null where it ended without. */
async function firstOf(following: Promise<CommandEnd>, reboots: Pick<Reboots, 'whenPrepared'>): Promise<string | null> {
  const ended = new AbortController();
  const end = () => ended.abort(new Error('the test has ended'));
  following.then(end, end);
  return await reboots.whenPrepared(ended.signal);
}

/** By SIGKILL, as the program does that asks for a reboot; a server without signals tells 128 and its number. */
function wasKilled({ result }: CommandEnd): boolean {
  return result.kind === 'signalled'
    ? /^(SIG)?KILL$/.test(result.signal)
    : result.kind === 'exited' && result.status === 137;
}

/** Where the output of a test is kept, over all its reboots. */
interface Keeping {
  readonly stdout: LazyFile;
  readonly stderr: LazyFile;
  readonly beginning: StderrKeeper;
}

/** Reads both streams to their ends. What cannot be written ends the test: nothing of it may be lost unseen. */
async function follow(
  context: TestRunContext,
  test: string,
  running: RunningCommand,
  keeping: Keeping,
  abort: AbortController,
): Promise<CommandEnd> {
  const pump = async (stream: 'stdout' | 'stderr', from: Readable) => {
    for await (const chunk of from as AsyncIterable<Uint8Array>) {
      keeping[stream].write(chunk);
      if (stream === 'stderr') keeping.beginning.add(chunk);
      await context.log.output(stream, chunk);
    }
  };
  try {
    const [end] = await Promise.all([running.ended, pump('stdout', running.stdout), pump('stderr', running.stderr)]);
    return end;
  } catch (error) {
    abort.abort();
    running.stdout.resume();
    running.stderr.resume();
    await running.ended;
    const { doing, cause } = causeOfError(error, 'exec', `keeping the output of test ${test}`);
    throw new StepError(doing, cause);
  }
}

/** A file that comes into being with its first byte. */
class LazyFile {
  readonly #output: OutputDirectory | null;
  readonly #name: string;
  #sink: Sink | null = null;

  constructor(output: OutputDirectory | null, name: string) {
    this.#output = output;
    this.#name = name;
  }

  write(chunk: Uint8Array): void {
    if (this.#output === null) return;
    this.#sink ??= openSink(this.#output.file(this.#name));
    this.#sink.write(chunk);
  }

  close(): void {
    this.#sink?.close();
  }
}

/** autopkgtest shows stderr once more where it decided the result. */
async function showAgain(context: TestRunContext, name: string, stderr: StderrKeeper): Promise<void> {
  context.log.info(`test ${name}: ${divider('stderr')}`);
  await context.log.output('stderr', stderr.beginning);
  if (stderr.beyond > 0) context.log.info(`test ${name}: (${stderr.beyond} more bytes of stderr, shown above)`);
}
