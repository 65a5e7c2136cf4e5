import { constants } from 'node:os';
import type { Clock } from '../../events/index.ts';
import type { Run } from '../../testbed/index.ts';
import { USAGE_EXIT_CODE } from '../UsageError.ts';
import type { EndingSignal } from './endingSignals.ts';

/** Milliseconds that the teardown after a fault of our own may take: the machines' own limit and some more. */
const LAST_CHANCE = 200_000;

/** What a supervisor needs. */
export interface SupervisorOptions {
  readonly clock: Clock;
  /** What ends the run. */
  readonly signals: readonly EndingSignal[];
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
 * third leaves whatever stands. When the run is over, the first one waits until all is written about it.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #run: Run;
  readonly #onSignal = (signal: EndingSignal) => this.#signalled(signal);
  readonly #onFault = (error: unknown) => this.#failed(error);
  #signals = 0;
  #faults = 0;
  #over = false;
  /** A signal that came since. */
  #late: EndingSignal | null = null;

  /** Begins to watch. */
  constructor(run: Run, options: SupervisorOptions) {
    this.#run = run;
    this.#options = options;
    for (const signal of options.signals) process.on(signal, this.#onSignal);
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

  /** The run is over: there is nothing that a signal could end, but what is written about it should be whole. */
  end(): void {
    this.#over = true;
    process.off('uncaughtException', this.#onFault);
    process.off('unhandledRejection', this.#onFault);
  }

  /** All is written: a signal means what it means to any process, one that has waited for this too. */
  release(): void {
    for (const signal of this.#options.signals) process.off(signal, this.#onSignal);
    if (this.#late !== null) this.#options.leave(exitCodeOf(this.#late), this.#late);
  }

  #signalled(signal: EndingSignal): void {
    const again = signal === 'SIGINT' ? 'press Ctrl-C' : `send ${signal}`;
    if (this.#over) {
      if (this.#late !== null) this.#options.leave(exitCodeOf(signal), signal);
      this.#late = signal;
      return this.#options.say(`${signal}: leaving when all is written about the run; ${again} again to leave now`);
    }
    const what = this.#options.keeps ? 'ending, and keeping the testbed' : 'taking the testbed down';
    const then = this.#options.keeps ? 'remove it' : 'force';
    if (this.#signals === 0) this.#options.say(`${signal}: ${what}; ${again} again to ${then}`);
    else if (this.#signals === 1)
      this.#options.say(`${signal} again: removing the testbed at once; once more to leave`);
    else {
      this.#options.say(
        `${signal} for the third time: leaving. What stands is left; trundle reap ${this.#run.id} removes it`,
      );
      this.#options.leave(exitCodeOf(signal), signal);
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

/** As shells tell it. */
function exitCodeOf(signal: EndingSignal): number {
  return 128 + constants.signals[signal];
}
