import type { LogEntries } from '../output/LogEntry.ts';
import type { RunLog } from '../output/RunLog.ts';
import { Turn, Turns } from '../output/Turns.ts';
import type { PlannedTest } from '../plan/planTests.ts';

/** Runs tests, one at a time, in a testbed of its own. */
export interface Tester {
  /** Its voice in the log. */
  readonly log: RunLog;
  one(planned: PlannedTest): Promise<void>;
}

/** Testers that can be had besides the first. */
export interface Helpers {
  /** How many there may be. */
  readonly count: number;
  /** Called with the tests that run, in the order of their results. */
  expect(tests: readonly string[]): void;
  /**
   * Has one work in a testbed like the first, and closes that again.
   * @param signal aborts when it is no longer wanted before it has begun
   */
  call(log: RunLog, signal: AbortSignal, work: (tester: Tester) => Promise<void>): Promise<void>;
}

/** What tests are run with. */
export interface ParallelOptions {
  readonly log: RunLog;
  readonly signal: AbortSignal;
  readonly first: Tester;
  readonly helpers: Helpers;
}

/**
 * Runs tests, as many at once as there are testers. All that is said of them is in the order of the tests. After a
 * failure those that run come to their ends, and no other begins.
 * @throws the first failure
 */
export async function inParallel(tests: readonly PlannedTest[], options: ParallelOptions): Promise<void> {
  const { log, signal, first, helpers } = options;
  const turns = new Turns(log.entries);
  const waiting = tests.map((planned) => ({ planned, turn: turns.take() }));
  const failures: unknown[] = [];
  const enough = new AbortController();
  const stopped = () => failures.length > 0 || signal.aborted;

  const next = () => {
    const taken = stopped() ? undefined : waiting.shift();
    if (waiting.length === 0 || stopped()) enough.abort(new Error('no test is left for this testbed'));
    return taken;
  };
  const work = async (tester: Tester, before: (to: LogEntries) => Promise<void>, after: LogEntries | null) => {
    for (let taken = next(); taken !== undefined; taken = next()) {
      const { planned, turn } = taken;
      try {
        await before(turn);
        tester.log.speakInto(turn);
        await tester.one(planned);
      } catch (error) {
        failures.push(error);
      } finally {
        tester.log.speakInto(after);
        turn.end();
      }
    }
  };
  const help = async () => {
    const voice = log.voice();
    const [opening, closing] = [new Aside(), new Aside()];
    voice.speakInto(opening.turn);
    let began = false;
    try {
      await helpers.call(voice, enough.signal, (tester) => {
        began = true;
        return work(tester, (to) => opening.tell(to), closing.turn);
      });
    } catch (error) {
      if (began || !enough.signal.aborted || failures.length > 0) failures.push(error);
    }
    return [opening, closing];
  };

  const count = Math.min(helpers.count, tests.length - 1);
  const helping = Array.from({ length: Math.max(0, count) }, help);
  await work(first, async () => {}, null);
  const asides = await Promise.all(helping);
  for (const { turn } of waiting) turn.end();
  await turns.heard();
  for (const aside of asides.flat()) await aside.tell(log.entries);
  if (failures.length > 0) throw failures[0];
}

/**
 * What is said while a testbed is opened or closed. The former belongs to the first test in it, of which nobody knows
 * yet which it will be.
 */
class Aside {
  #to: LogEntries | null = null;
  readonly turn = new Turn({ put: async (entry) => await this.#to?.put(entry) }, () => {});

  /** Puts it on; only the first time. */
  async tell(to: LogEntries): Promise<void> {
    if (this.#to !== null) return;
    this.#to = to;
    this.turn.end();
    this.turn.begin();
    await this.turn.heard;
  }
}
