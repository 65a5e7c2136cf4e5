import type { CauseClass, Clock, EventType, Phase, TrundleEvent } from '../../../../src/events/index.ts';
import type { OpenOptions, Testbed } from '../../../../src/testbed/index.ts';
import type { EventLog } from '../../../support/eventLog.ts';
import type { Refused } from '../refused.ts';
import type { Moment } from '../struckRun.ts';
import type { Draw } from './draw.ts';
import type { Place } from './places.ts';

/** What must come of a fault; null where a command or the testbed goes on as if nothing had been. */
export type Expected = { readonly class: CauseClass; readonly phase: Phase } | null;

/** A fault that is about to happen. */
export interface Fault {
  /** In words, for the name of its test. */
  readonly what: string;
  /** The backend's words, changed by the fault; the sound ones if absent. */
  readonly words?: (directory: string) => readonly string[] | Promise<readonly string[]>;
  readonly options?: OpenOptions;
  /** The machine's own if absent. */
  readonly clock?: Clock;
  /** What is done with the testbed once it is open. */
  readonly use?: (testbed: Testbed, log: EventLog, abort: AbortController) => Promise<void>;
  /** The event that aborts the opening. */
  readonly abortAt?: EventType;
  /** What an ordinary user without subordinate ids is told, whose program it is. There is no use then. */
  readonly refused?: Refused;
  /** The signal that the program gets which runs a package's tests, and when. There is no other use then. */
  readonly struck?: { readonly signal: 'SIGTERM' | 'SIGKILL'; readonly moment: Moment };
  readonly expected: Expected;
  /** Whether the run's cause tells it: what a command is told may come before the death that explains it. */
  readonly ofRun?: true;
  /** Removes what the run had to leave, and named. Absent: it leaves nothing. */
  readonly mend?: (left: readonly TrundleEvent<'resource.acquired'>[]) => void | Promise<void>;
}

/** Makes a fault of a kind; null where a testbed of that place cannot have it. */
export type Kind = (place: Place, draw: Draw) => Fault | null;
