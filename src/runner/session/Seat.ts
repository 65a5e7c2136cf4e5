import { type Clock, systemClock, type TrundleEvent } from '../../events/index.ts';
import { type Run, type Testbed, TestbedError } from '../../testbed/index.ts';
import { BadPackageError } from '../errors.ts';
import { causeLine } from '../failures.ts';
import type { RunLog } from '../output/RunLog.ts';
import type { PlannedTest } from '../plan/planTests.ts';
import { answered } from './answered.ts';
import type { Tester } from './inParallel.ts';
import { close, leave, leaveBehind, type Place, type Settled, settle } from './lodging.ts';
import type { PackageTests } from './packageTests.ts';

/** How a seat comes to its testbeds. */
export interface SeatOptions {
  readonly place: Place;
  readonly log: RunLog;
  /** Whether it tells what kind of testbed this is; one is enough of several alike. */
  readonly announce: boolean;
  /** @throws TestbedError */
  open(): Promise<Testbed>;
  /** Makes all ready for the tests. @throws BadPackageError, StepError, TestbedError */
  furnish(settled: Settled): Promise<PackageTests>;
  /** Takes over a testbed that is no longer needed, and closes it, or keeps it for others. */
  readonly giveBack?: (testbed: Testbed) => Promise<void>;
}

/**
 * Where tests of a package run: a testbed with all that they need. When a testbed fails of itself another takes its place,
 * as often as the run machine grants that.
 */
export class Seat implements Tester {
  readonly log: RunLog;
  readonly #options: SeatOptions;
  #testbed: Testbed | null = null;
  #settled: Settled | null = null;
  #tests: PackageTests | null = null;

  constructor(options: SeatOptions) {
    this.#options = options;
    this.log = options.log;
  }

  /** The tests, in the testbed as it is now. */
  get tests(): PackageTests {
    if (this.#tests === null) throw new Error('the testbed is not ready');
    return this.#tests;
  }

  /** Opens a testbed and makes all ready in it. @throws BadPackageError, StepError, TestbedError */
  async take(): Promise<void> {
    const { place, announce, open, furnish } = this.#options;
    for (;;) {
      try {
        this.#testbed = await open();
        this.#settled = await settle(place, this.#testbed, this.log, announce);
        this.#tests = await furnish(this.#settled);
        return;
      } catch (error) {
        await this.#replaced(error);
      }
    }
  }

  /** Runs a test; again where its testbed failed before it was judged. @throws BadPackageError, StepError, TestbedError */
  async one(planned: PlannedTest): Promise<void> {
    const watch = new Verdicts(this.#options.place.run);
    try {
      for (;;) {
        try {
          await this.#makeWay();
          await this.tests.one(planned);
          return;
        } catch (error) {
          await this.#replaced(error);
          await this.take();
          if (watch.has(this.tests.idOf(planned))) {
            this.log.warning(`test ${planned.definition.name}: what its testbed still had of it is lost`);
            return;
          }
        }
      }
    } finally {
      watch.end();
    }
  }

  /** Leaves the testbed, for good or for others. */
  async leave(): Promise<void> {
    const testbed = await this.#moveOut();
    const { giveBack, place } = this.#options;
    if (testbed === null) return;
    await (giveBack === undefined ? close(testbed, this.log, place.kept) : giveBack(testbed));
  }

  /** Something went wrong here that is not a test's failure. */
  noteFailure(error: unknown): void {
    const { run, kept } = this.#options.place;
    // Who ends the run need not look for what ended it.
    if (run.aborted.aborted) return;
    const failed = this.#testbed?.id ?? (error instanceof TestbedError ? error.testbed : null);
    if (failed !== null) kept.noteFailure(failed);
  }

  /** What the next test would be put into stays as the last one left it: then there is another for the next. */
  async #makeWay(): Promise<void> {
    const testbed = this.#testbed;
    if (testbed === null || !this.#options.place.kept.staysAsItIs(testbed.id)) return;
    if (!testbed.capabilities.includes('revert') || this.#options.place.signal.aborted) return;
    this.log.info(`testbed ${testbed.id} is kept as it is; going on in another`);
    await this.leave();
    await this.take();
  }

  async #moveOut(): Promise<Testbed | null> {
    const [testbed, settled] = [this.#testbed, this.#settled];
    this.#testbed = null;
    this.#settled = null;
    this.#tests = null;
    if (settled === null || testbed === null) return testbed;
    const { kept } = this.#options.place;
    if (kept.wants(testbed.id)) await leaveBehind(settled.session, testbed.id, kept);
    else await leave(settled.session, this.log);
    return testbed;
  }

  /** Takes the testbed down, and asks whether another may be had. @throws what went wrong, where it may not */
  async #replaced(error: unknown): Promise<void> {
    const { run, signal, treeRun } = this.#options.place;
    const { retries = 0, clock = systemClock } = treeRun.options;
    const failed = this.#testbed?.id ?? (error instanceof TestbedError ? error.testbed : null);
    if (retries === 0 || failed === null || signal.aborted || error instanceof BadPackageError) throw error;
    this.noteFailure(error);
    const testbed = await this.#moveOut();
    if (testbed !== null) await close(testbed, this.log, this.#options.place.kept);
    const answer = await ask(run, clock, failed, treeRun.subject.name);
    if (answer.type === 'retry.denied') throw error;
    const { attempt, of, cause } = answer;
    this.log.warning(`${causeLine(cause)}; going on in another testbed (retry ${attempt} of ${of})`);
  }
}

type Answer = TrundleEvent<'retry.granted' | 'retry.denied'>;

function ask(run: Run, clock: Clock, testbed: string, name: string | null): Promise<Answer> {
  const isAnswer = (event: TrundleEvent): event is Answer =>
    (event.type === 'retry.granted' || event.type === 'retry.denied') && event.testbed === testbed;
  const of = name === null ? {} : { package: name };
  const tell = () => run.emit({ type: 'retry.requested', testbed, from: 'runner', ...of });
  return answered(run, clock, { what: `the retry after ${testbed}`, isAnswer, tell });
}

/** Which tests have been judged since it was made. */
class Verdicts {
  readonly #judged = new Set<string>();
  readonly end: () => void;

  constructor(run: Run) {
    const subscription = run.events$.subscribe((event) => {
      if (event.type === 'test.judged') this.#judged.add(event.test);
    });
    this.end = () => subscription.unsubscribe();
  }

  has(test: string): boolean {
    return this.#judged.has(test);
  }
}
