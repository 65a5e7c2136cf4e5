import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { configureBackend } from '../../../src/backends/index.ts';
import { type OpenTestbedOptions, openTestbed, type Testbed, type TestbedError } from '../../../src/testbed/index.ts';
import { EventLog } from '../../support/eventLog.ts';
import { workplace } from '../../support/workplace.ts';

/** A testbed of one test, and what it tells. */
export interface Opened {
  readonly testbed: Testbed;
  readonly log: EventLog;
  readonly trace: string;
}

/** Opens a testbed of a backend, as typed on the command line. It is closed after the test. */
export async function open(words: readonly string[], options: OpenTestbedOptions = {}): Promise<Opened> {
  const trace = join(workplace(), 'trace');
  let log: EventLog | undefined;
  const testbed = await openTestbed(await configureBackend(words), {
    ...options,
    trace,
    onRun: (run) => {
      log = new EventLog(run.events$);
      options.onRun?.(run);
    },
  });
  onTestFinished(async () => {
    await testbed.close();
  });
  if (log === undefined) throw new Error('there was no run');
  return { testbed, log, trace };
}

/** Why a testbed could not be opened: what the backend said, the cause, and what the run told. */
export interface Refusal {
  readonly code: string | null;
  readonly message: string;
  readonly remedy: string | undefined;
  readonly class: string;
  readonly phase: string;
  readonly log: EventLog;
}

/** Opens a testbed that cannot be opened, and says why. @throws Error where it can */
export async function refusal(words: readonly string[], options: OpenTestbedOptions = {}): Promise<Refusal> {
  let log: EventLog | undefined;
  const follow: OpenTestbedOptions = {
    ...options,
    onRun: (run) => {
      log = new EventLog(run.events$);
      options.onRun?.(run);
    },
  };
  try {
    const testbed = await openTestbed(await configureBackend(words), follow);
    await testbed.close();
  } catch (error) {
    if (log === undefined) throw error;
    const { cause } = error as TestbedError;
    const failed = log.events.find((event) => 'failure' in event);
    const { code, message, remedy } =
      failed !== undefined && 'failure' in failed
        ? failed.failure
        : { code: null, message: (error as Error).message, remedy: undefined };
    return { code, message, remedy, class: cause.class, phase: cause.phase, log };
  }
  throw new Error(`${words.join(' ')} could be opened`);
}
