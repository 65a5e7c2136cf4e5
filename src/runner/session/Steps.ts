import type { Readable } from 'node:stream';
import type { Cause, Clock, Phase } from '../../events/index.ts';
import { type CopyOptions, type ExecResult, type Testbed, TestbedError } from '../../testbed/index.ts';
import { StepError } from '../errors.ts';
import type { RunLog } from '../output/RunLog.ts';
import type { Timeouts } from '../timeouts.ts';
import { limited, pause } from './limit.ts';

/** What steps in a testbed need. */
export interface StepOptions {
  readonly testbed: Testbed;
  readonly log: RunLog;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Milliseconds by kind. */
  readonly timeouts: Timeouts;
  /** seq of the latest event that tells of a command's end: evidence for a cause. */
  readonly evidence: () => readonly number[];
  /** Login for everything but the tests. */
  readonly admin: string;
}

/** One command of a step. */
export interface Step {
  /** What it does, for messages: "making the tree ready". */
  readonly doing: string;
  readonly phase: Phase;
  /** A script for sh, and its $1, $2 and so on. */
  readonly script: string;
  readonly words?: readonly string[];
  /** Who runs it; the administrator if absent. */
  readonly login?: string;
  /** Which of the timeouts bounds it; `short` if absent. */
  readonly limit?: keyof Timeouts;
  readonly env?: Readonly<Record<string, string>>;
}

/** How a step that people could follow ended. */
export interface Shown {
  /** Exit status; null where a signal ended it. */
  readonly status: number | null;
  readonly signal: string | null;
  /** The end of what it wrote to stdout. */
  readonly stdout: string;
  /** The end of what it wrote to stderr. */
  readonly stderr: string;
}

/** Characters of a stream that are kept for those who want to know what was said. */
const KEPT = 256 * 1024;

/** Commands around the tests, each with a deadline and with a cause where it fails. */
export class Steps {
  readonly #options: StepOptions;

  constructor(options: StepOptions) {
    this.#options = options;
  }

  get admin(): string {
    return this.#options.admin;
  }

  /** What the step said, however it ended. @throws StepError where it took too long, TestbedError */
  async ask(step: Step): Promise<ExecResult> {
    const { testbed, timeouts, signal } = this.#options;
    const limit = timeouts[step.limit ?? 'short'];
    try {
      return await testbed.exec(argvOf(step), { ...this.#how(step), timeout: limit, signal });
    } catch (error) {
      if (!(error instanceof TestbedError) || error.result?.kind !== 'timed-out') throw error;
      throw this.tooLate(step.doing, step.phase, limit);
    }
  }

  /** The same for what must not fail. @throws StepError, TestbedError */
  async must(step: Step): Promise<ExecResult> {
    const result = await this.ask(step);
    if (result.status === 0) return result;
    throw this.failed(step.doing, step.phase, described(result));
  }

  /**
   * Runs a step with its stdout in the log and on the terminal as it comes, its stderr likewise or, with `quietly`,
   * only given back.
   * @throws StepError where it took too long, TestbedError
   */
  async show(step: Step, stderr: 'shown' | 'quietly' = 'shown'): Promise<Shown> {
    const { testbed, log, timeouts, signal } = this.#options;
    const limit = timeouts[step.limit ?? 'short'];
    const abort = new AbortController();
    const running = testbed.start(argvOf(step), {
      ...this.#how(step),
      timeout: limit,
      signal: AbortSignal.any([signal, abort.signal]),
    });
    const said = { stdout: '', stderr: '' };
    const pump = async (stream: 'stdout' | 'stderr', from: Readable, seen: boolean) => {
      for await (const chunk of from as AsyncIterable<Uint8Array>) {
        said[stream] = (said[stream] + Buffer.from(chunk).toString()).slice(-KEPT);
        if (seen) await log.output(stream, chunk);
      }
    };
    try {
      const [end] = await Promise.all([
        running.ended,
        pump('stdout', running.stdout, true),
        pump('stderr', running.stderr, stderr === 'shown'),
      ]);
      if (end.result.kind === 'timed-out') throw this.tooLate(step.doing, step.phase, limit);
      if (end.result.kind === 'exited') return { status: end.result.status, signal: null, ...said };
      if (end.result.kind === 'signalled') return { status: null, signal: end.result.signal, ...said };
      const detail = end.result.kind === 'lost' ? `the connection was lost (${end.result.how})` : 'it was cancelled';
      const { doing, phase } = step;
      throw new StepError(
        doing,
        end.cause ?? { class: 'operator-interrupted', phase, doing, detail, evidence: [...this.#options.evidence()] },
      );
    } catch (error) {
      abort.abort();
      running.stdout.resume();
      running.stderr.resume();
      await running.ended;
      throw error;
    }
  }

  /** The same for what must not fail. @throws StepError, TestbedError */
  async mustShow(step: Step): Promise<Shown> {
    const shown = await this.show(step);
    if (shown.status === 0) return shown;
    throw this.failed(step.doing, step.phase, described(shown));
  }

  /** Copies between host and testbed; both paths of a tree end with a slash. @throws StepError, TestbedError */
  async copy(
    direction: 'down' | 'up',
    from: string,
    to: string,
    how: Pick<CopyOptions, 'readable' | 'onLeftOut'> = {},
  ): Promise<void> {
    const { testbed, clock, timeouts, signal, evidence, admin } = this.#options;
    const limit = limited(clock, timeouts.copy, signal);
    const options = { ...how, login: admin, signal: limit.signal };
    try {
      await (direction === 'down' ? testbed.copyDown(from, to, options) : testbed.copyUp(from, to, options));
    } catch (error) {
      if (!limit.expired || signal.aborted) throw withProof(error, evidence());
      const doing = `copying ${from} ${direction === 'down' ? 'into' : 'from'} the testbed`;
      throw this.tooLate(doing, 'copy', timeouts.copy);
    } finally {
      limit.done();
    }
  }

  /** Waits, unless the run is told to stop. */
  async pause(ms: number): Promise<void> {
    const { clock, signal } = this.#options;
    await pause(clock, ms, signal);
  }

  /** A step that failed. */
  failed(doing: string, phase: Phase, detail: string): StepError {
    const full = /No space left on device|Disk quota exceeded/.test(detail);
    const cause: Cause = {
      class: full ? 'testbed-disk-full' : phase === 'copy' ? 'copy-failed' : 'provision-failed',
      phase,
      doing,
      detail,
      evidence: [...this.#options.evidence()],
    };
    return new StepError(doing, cause);
  }

  /** A step that was not done in time. */
  tooLate(doing: string, phase: Phase, limit: number): StepError {
    const detail = `it took more than ${limit / 1000} s`;
    const evidence = [...this.#options.evidence()];
    return new StepError(doing, { class: 'deadline-expired', phase, doing, detail, evidence });
  }

  #how({ login, env }: Step): { login: string; env?: Readonly<Record<string, string>> } {
    return { login: login ?? this.#options.admin, ...(env === undefined ? {} : { env }) };
  }
}

function argvOf({ script, words = [] }: Step): string[] {
  return ['sh', '-c', script, 'sh', ...words];
}

function described({ status, signal, stderr }: Pick<ExecResult, 'status' | 'signal' | 'stderr'>): string {
  const how = status === null ? `signal ${signal}` : `exit status ${status}`;
  const said = stderr.trim();
  return said === '' ? how : `${how}: ${said}`;
}

/** A failed copy is proven by the event that tells of its end, where nothing before it proves more. */
function withProof(error: unknown, evidence: readonly number[]): unknown {
  if (!(error instanceof TestbedError) || error.cause.evidence.length > 0) return error;
  return new StepError(error.cause.doing, { ...error.cause, evidence: [...evidence] });
}
