import { join } from 'node:path';
import type { ConfiguredBackend } from '../../../src/backends/contract.ts';
import type { Clock } from '../../../src/events/index.ts';
import { VERSION } from '../../../src/events/index.ts';
import { createRun, type OpenOptions, type Run, type RunEnd, type Testbed } from '../../../src/testbed/index.ts';
import { EventLog } from '../../support/eventLog.ts';
import { workplace } from '../../support/workplace.ts';

/** A testbed used as the library's users use it, without any tests. */
export interface UsedTestbedOptions {
  readonly backend: ConfiguredBackend;
  /** What is done with it; what this throws ends the use. */
  readonly use: (testbed: Testbed, log: EventLog) => Promise<void>;
  /** Makes the fault happen meanwhile. */
  readonly during?: (log: EventLog, run: Run) => Promise<void>;
  readonly options?: OpenOptions;
  readonly clock?: Clock;
  /** Directory for the trace; one of its own if absent. */
  readonly trace?: string;
}

/** How the use of a testbed ended. */
export interface UsedTestbed {
  readonly end: RunEnd;
  readonly log: EventLog;
  /** What the use, or the opening, threw. */
  readonly error: unknown;
}

/** Opens a testbed in a run with a trace, uses it, and closes both. */
export async function useTestbed(plan: UsedTestbedOptions): Promise<UsedTestbed> {
  const run = createRun({
    trace: plan.trace ?? join(workplace(), 'trace'),
    ...(plan.clock === undefined ? {} : { clock: plan.clock }),
  });
  const log = new EventLog(run.events$);
  run.emit({
    type: 'run.started',
    testbed: null,
    from: 'runner',
    tests: false,
    trundle: VERSION,
    sources: [],
    backend: [...plan.backend.words],
  });
  let error: unknown = null;
  const use = async () => {
    try {
      const testbed = await run.openTestbed(plan.backend, plan.options ?? {});
      try {
        await plan.use(testbed, log);
      } finally {
        await testbed.close();
      }
    } catch (thrown) {
      error = thrown;
    }
    return await run.close();
  };
  const [end] = await log.during('the use of the testbed', Promise.all([use(), plan.during?.(log, run)]));
  return { end, log, error };
}
