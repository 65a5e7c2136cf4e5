import type { OpenTestbedOptions, Testbed } from '../../../src/testbed/index.ts';
import type { EventLog } from '../../support/eventLog.ts';
import type { BackendUnderTest, Preparation } from './backends.ts';
import type { Bed } from './bed.ts';

/** What the tests of one backend are given. */
export interface Contract {
  readonly backend: BackendUnderTest;
  /** An open testbed that the tests share. */
  readonly testbed: Testbed;
  /** All that it tells. */
  readonly log: EventLog;
  /** Whom an ordinary user's commands run as. */
  readonly ordinary: string;
  /** A configured backend, made ready on this machine. */
  readonly preparation: Preparation;
  /** Opens another testbed; it must be closed by the test (`await using`). */
  open(options?: OpenTestbedOptions): Promise<Bed>;
}
