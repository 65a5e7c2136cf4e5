import type { Readable } from 'node:stream';
import type { Clock, TrundleEvent } from '../../events/index.ts';
import type { CommandEnd, Run, RunningCommand, Testbed } from '../../testbed/index.ts';
import { StepError } from '../errors.ts';
import { causeOfError } from '../failures.ts';
import { type OutputDirectory, openSink, type Sink } from '../output/OutputDirectory.ts';
import { divider, type RunLog } from '../output/RunLog.ts';
import { StderrKeeper } from '../output/StderrKeeper.ts';
import type { PlannedTest } from '../plan/planTests.ts';
import { judged, reportLine } from './verdict.ts';

/** What one test's run needs. */
export interface TestRunContext {
  readonly run: Run;
  readonly testbed: Testbed;
  readonly clock: Clock;
  readonly log: RunLog;
  readonly output: OutputDirectory | null;
  readonly signal: AbortSignal;
}

/** The command that is the test. */
export interface TestCommand {
  readonly argv: readonly string[];
  readonly login: string;
  /** Milliseconds. */
  readonly timeout: number;
}

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

  const stderr = new StderrKeeper();
  const abort = new AbortController();
  const signal = AbortSignal.any([context.signal, abort.signal]);
  const running = testbed.start(command.argv, { login: command.login, timeout: command.timeout, sweep: true, signal });
  run.emit({ type: 'test.started', testbed: testbed.id, from: 'runner', test: planned.id, command: running.command });
  const end = await follow(context, planned.id, running, stderr, abort);

  log.info(`test ${name}: -----------------------]`);
  if (end.leaked) log.warning(`test ${name}: it left processes behind; they were ended`);
  if (end.leaked === null) log.warning(`test ${name}: nobody can tell whether it left processes behind`);
  const finished = () =>
    run.emit({
      type: 'test.finished',
      testbed: testbed.id,
      from: 'runner',
      test: planned.id,
      result: end.result,
      stderrBytes: stderr.bytes,
      stderrLine: stderr.firstLine,
      leaked: end.leaked,
      cause: end.cause,
    });
  const endedByItself =
    end.result.kind === 'exited' || end.result.kind === 'signalled' || end.result.kind === 'timed-out';
  if (end.cause !== null || !endedByItself) {
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

  const verdict = await judged(run, context.clock, planned.id, finished);
  if (end.result.kind === 'timed-out')
    log.error(`test ${name} ran for more than ${end.result.after / 1000} s and was ended`);
  log.info(`test ${name}: ${divider('results')}`);
  log.report(name, reportLine(verdict.outcome, verdict.reason, restrictions.includes('superficial')));
  if (stderr.bytes > 0 && !restrictions.includes('allow-stderr')) await showAgain(context, name, stderr);
  return verdict;
}

/** Reads both streams to their ends. What cannot be written ends the test: nothing of it may be lost unseen. */
async function follow(
  context: TestRunContext,
  test: string,
  running: RunningCommand,
  stderr: StderrKeeper,
  abort: AbortController,
): Promise<CommandEnd> {
  const files: LazyFile[] = [];
  const pump = async (stream: 'stdout' | 'stderr', from: Readable) => {
    const file = new LazyFile(context.output, `${test}-${stream}`);
    files.push(file);
    for await (const chunk of from as AsyncIterable<Uint8Array>) {
      file.write(chunk);
      if (stream === 'stderr') stderr.add(chunk);
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
  } finally {
    for (const file of files) file.close();
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
