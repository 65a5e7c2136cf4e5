import type { Cause, CauseClass, CommandResult, TrundleEvent } from '../../events/index.ts';

/** What became of one test, as in results.json. Times are in seconds. */
export interface TestResult {
  /** Its id: the name, or `NAME#2` where a package uses a name twice. */
  readonly test: string;
  /** Null where it did not come to a verdict: the run ended before, or the testbed failed under it. */
  readonly outcome: TrundleEvent<'test.judged'>['outcome'] | null;
  /** In autopkgtest's words; empty for a pass. */
  readonly reason: string;
  readonly superficial: boolean;
  readonly restrictions: readonly string[];
  /** Null where it did not start. */
  readonly seconds: number | null;
  /** How its process ended; null where it did not. */
  readonly result: CommandResult | null;
  readonly stderrBytes: number;
  /** Whether it left processes behind; null where nobody can tell. */
  readonly leaked: boolean | null;
  /** How often it had the testbed rebooted. */
  readonly reboots: number;
  /** Why it did not pass; null where it passed or was skipped. */
  readonly cause: Cause | null;
}

/** What became of a run: the document results.json. */
export interface RunResults {
  /** The version of this form. */
  readonly version: 1;
  readonly trundle: string;
  readonly run: string;
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly seconds: number;
  readonly sources: readonly string[];
  /** The package under test, where it is known. */
  readonly package: { readonly name: string; readonly version: string } | null;
  /** Backend and its arguments. */
  readonly backend: readonly string[];
  readonly exitCode: number;
  /** Why the run did not end with 0, or with 2. */
  readonly cause: Cause | null;
  /** Directory of the trace. */
  readonly trace: string | null;
  readonly tests: readonly TestResult[];
}

/** How a run ended, as far as its events do not tell. */
export interface RunClose {
  readonly exitCode: number;
  readonly cause: Cause | null;
  readonly trace: string | null;
  readonly package: RunResults['package'];
}

type Draft = { -readonly [K in keyof TestResult]: TestResult[K] } & { began: number | null; ended: number };

/** A fold over the events of a run that gathers what became of its tests. */
export class Results {
  readonly #started: Date;
  readonly #tests = new Map<string, Draft>();
  #run = '';
  #begun: Pick<RunResults, 'trundle' | 'sources' | 'backend'> = { trundle: '', sources: [], backend: [] };
  #last = 0;

  /** @param started the wall clock when the run began */
  constructor(started: Date) {
    this.#started = started;
  }

  see(event: TrundleEvent): void {
    this.#last = event.at;
    switch (event.type) {
      case 'run.started':
        this.#run = event.run;
        this.#begun = { trundle: event.trundle, sources: event.sources, backend: event.backend };
        return;
      case 'test.planned':
        Object.assign(this.#of(event.test), { restrictions: event.restrictions, superficial: event.superficial });
        return;
      case 'test.started':
        this.#of(event.test).began = event.at;
        return;
      case 'test.suspended':
        this.#of(event.test).reboots += 1;
        return;
      case 'test.finished': {
        const { result, stderrBytes, leaked, cause } = event;
        Object.assign(this.#of(event.test), { result, stderrBytes, leaked, cause, ended: event.seq });
        const draft = this.#of(event.test);
        draft.seconds = draft.began === null ? null : seconds(event.at - draft.began);
        return;
      }
      case 'test.skipped':
        this.#of(event.test).ended = event.seq;
        return;
      case 'test.judged': {
        const draft = this.#of(event.test);
        draft.outcome = event.outcome;
        draft.reason = event.reason;
        draft.cause = causeOf(draft);
      }
    }
  }

  /** The whole, once the run is over. */
  conclude(close: RunClose): RunResults {
    return {
      version: 1,
      run: this.#run,
      ...this.#begun,
      started: this.#started.toISOString(),
      seconds: seconds(this.#last),
      ...close,
      tests: [...this.#tests.values()].map(({ began: _began, ended: _ended, ...test }) => test),
    };
  }

  #of(test: string): Draft {
    const known = this.#tests.get(test);
    if (known !== undefined) return known;
    const draft: Draft = {
      test,
      outcome: null,
      reason: '',
      superficial: false,
      restrictions: [],
      seconds: null,
      result: null,
      stderrBytes: 0,
      leaked: null,
      reboots: 0,
      cause: null,
      began: null,
      ended: 0,
    };
    this.#tests.set(test, draft);
    return draft;
  }
}

/** Milliseconds as seconds, to the millisecond. */
function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}

/** Why a test that was judged did not pass. Pure. */
function causeOf({ test, outcome, reason, result, ended }: Draft): Cause | null {
  const evidence = [ended];
  if (outcome === 'badpkg') {
    const doing = `installing what test ${test} depends on`;
    return { class: 'bad-package', phase: 'provision', doing, detail: reason, evidence };
  }
  if ((outcome !== 'fail' && outcome !== 'flaky') || result === null) return null;
  const doing = `running test ${test}`;
  return { class: classOf(result), phase: 'exec', doing, detail: reason, evidence };
}

function classOf(result: CommandResult): CauseClass {
  if (result.kind === 'signalled') return 'test-signalled';
  if (result.kind === 'timed-out') return 'test-timed-out';
  return result.kind === 'exited' && result.status === 0 ? 'test-wrote-stderr' : 'test-failed';
}
