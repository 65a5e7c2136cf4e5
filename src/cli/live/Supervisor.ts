import type { Clock } from '../../events/index.ts';
import type { Run } from '../../testbed/index.ts';
import { USAGE_EXIT_CODE } from '../UsageError.ts';

/** Signals by which a person, or whoever started us, ends a run. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type EndingSignal = (typeof SIGNALS)[number];

/** Milliseconds that the teardown after a fault of our own may take: the machines' own limit and some more. */
const LAST_CHANCE = 200_000;

/** What a supervisor needs. */
export interface SupervisorOptions {
  readonly clock: Clock;
  /** Whether testbeds stay where the run ends in order. */
  readonly keeps: boolean;
  /** Tells a person something, as a whole line. */
  say(message: string): void;
  /** Leaves the process: at once, without looking back. */
  leave(exitCode: number, signal: EndingSignal | null): never;
}

/**
 * Watches over a run on behalf of the process: hands signals to the run as facts, so that its machine decides, and
 * takes the testbed down when we fail ourselves. The first signal ends the run in order, the second at once, the
 * third leaves whatever stands.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #run: Run;
  readonly #onSignal = (signal: EndingSignal) => this.#signalled(signal);
  readonly #onFault = (error: unknown) => this.#failed(error);
  #signals = 0;
  #faults = 0;

  /** Begins to watch. */
  constructor(run: Run, options: SupervisorOptions) {
    this.#run = run;
    this.#options = options;
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
    process.on('uncaughtException', this.#onFault);
    process.on('unhandledRejection', this.#onFault);
  }

  /** Whether a signal has come. */
  get interrupted(): boolean {
    return this.#signals > 0;
  }

  /** Tells the run that something from outside ended it, as a signal would. */
  interrupt(signal: string): void {
    this.#signals += 1;
    this.#run.emit({ type: 'operator.signalled', testbed: null, from: 'operator', signal, count: this.#signals });
  }

  /** The run is over: a signal from now on means what it means to any process. */
  end(): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
    process.off('uncaughtException', this.#onFault);
    process.off('unhandledRejection', this.#onFault);
  }

  #signalled(signal: EndingSignal): void {
    const again = signal === 'SIGINT' ? 'press Ctrl-C' : `send ${signal}`;
    const what = this.#options.keeps ? 'ending, and keeping the testbed' : 'taking the testbed down';
    const then = this.#options.keeps ? 'remove it' : 'force';
    if (this.#signals === 0) this.#options.say(`${signal}: ${what}; ${again} again to ${then}`);
    else if (this.#signals === 1)
      this.#options.say(`${signal} again: removing the testbed at once; once more to leave`);
    else {
      this.#options.say(
        `${signal} for the third time: leaving. What stands is left; trundle reap ${this.#run.id} removes it`,
      );
      this.#options.leave(128 + (signal === 'SIGINT' ? 2 : signal === 'SIGTERM' ? 15 : 1), signal);
    }
    this.interrupt(signal);
  }

  #failed(error: unknown): void {
    const { say, leave, clock } = this.#options;
    this.#faults += 1;
    const trace = this.#run.trace === null ? '' : `; the trace is in ${this.#run.trace}`;
    say(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    say(`this is a fault of Trundle; please report it${trace}`);
    if (this.#faults > 1) leave(USAGE_EXIT_CODE, null);
    const detail = error instanceof Error ? error.message : String(error);
    const doing = 'running Trundle';
    const cause = { class: 'internal-error' as const, phase: 'exec' as const, doing, detail, evidence: [] };
    this.#run.emit({ type: 'step.failed', testbed: null, from: 'runner', doing, cause });
    clock.after(LAST_CHANCE, () => leave(USAGE_EXIT_CODE, null));
    void this.#run.close().finally(() => leave(USAGE_EXIT_CODE, null));
  }
}
