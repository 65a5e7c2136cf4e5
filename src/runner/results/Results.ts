import type { Cause, CauseClass, CommandResult, TrundleEvent } from '../../events/index.ts';
import type { KeptResult } from '../../testbed/index.ts';

/** What became of one test, as in results.json. Times are in seconds. */
export interface TestResult {
  /** Its id: the name, or `NAME#2` where a package uses a name twice; in a run of several packages `PACKAGE/NAME`. */
  readonly test: string;
  /** Its package, in a run of several. */
  readonly package?: string;
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

/** What became of one package of a run that has several. */
export interface PackageResult {
  /** Its directory in the output directory, and what is before the names of its tests. */
  readonly package: string;
  readonly source: string;
  /** What its changelog says, where that is known. */
  readonly name: string | null;
  readonly version: string | null;
  readonly seconds: number;
  /** As if it had been tested alone; null where the run ended before its turn. */
  readonly exitCode: number | null;
  readonly cause: Cause | null;
  /** How often another testbed took the place of one that had failed. */
  readonly retries: number;
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
  /** How often another testbed took the place of one that had failed. */
  readonly retries: number;
  /** Testbeds that stay, because that was asked for (--keep). */
  readonly kept: readonly KeptResult[];
  /** In a run of several packages: what became of each. */
  readonly packages?: readonly PackageResult[];
  readonly tests: readonly TestResult[];
}

/** How a run ended, as far as its events do not tell. */
export interface RunClose {
  readonly exitCode: number;
  readonly cause: Cause | null;
  readonly trace: string | null;
  readonly kept: readonly KeptResult[];
  /** What the changelog of each says; one for a run of a single package. */
  readonly packages: readonly {
    /** Null for the only one. */
    readonly name: string | null;
    readonly source: string;
    readonly version: RunResults['package'];
  }[];
}

interface Course {
  began: number;
  ended: number;
  exitCode: number | null;
  cause: Cause | null;
}

type Draft = { -readonly [K in keyof TestResult]: TestResult[K] } & { began: number | null; ended: number };

/** A fold over the events of a run that gathers what became of its tests. */
export class Results {
  readonly #started: Date;
  readonly #tests = new Map<string, Draft>();
  readonly #courses = new Map<string, Course>();
  readonly #retries: (string | null)[] = [];
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
        if (event.package !== undefined) Object.assign(this.#of(event.test), { package: event.package });
        return;
      case 'package.started':
        this.#courses.set(event.package, { began: event.at, ended: event.at, exitCode: null, cause: null });
        return;
      case 'package.concluded':
        Object.assign(this.#courses.get(event.package) ?? {}, {
          ended: event.at,
          exitCode: event.exitCode,
          cause: event.cause,
        });
        return;
      case 'retry.granted':
        this.#retries.push(event.package ?? null);
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
  conclude({ packages, ...close }: RunClose): RunResults {
    const several = packages.some(({ name }) => name !== null);
    return {
      version: 1,
      run: this.#run,
      ...this.#begun,
      started: this.#started.toISOString(),
      seconds: seconds(this.#last),
      package: several ? null : (packages[0]?.version ?? null),
      ...close,
      retries: this.#retries.length,
      ...(several ? { packages: packages.map((each) => this.#package(each)) } : {}),
      tests: [...this.#tests.values()].map(({ began: _began, ended: _ended, ...test }) => test),
    };
  }

  #package({ name, source, version }: RunClose['packages'][number]): PackageResult {
    const { began = 0, ended = 0, exitCode = null, cause = null } = this.#courses.get(name ?? '') ?? {};
    return {
      package: name ?? '',
      source,
      name: version?.name ?? null,
      version: version?.version ?? null,
      seconds: seconds(ended - began),
      exitCode,
      cause,
      retries: this.#retries.filter((each) => each === name).length,
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
