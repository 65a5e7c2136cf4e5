import type {
  Cause,
  CauseClass,
  Command,
  Deadline,
  DeadlineTable,
  EventDraft,
  EventType,
  Phase,
} from '../events/index.ts';
import { DEADLINES } from '../events/index.ts';

/** What machines emit: commands for the edges and facts for the trace. Facts have a dot in their type. */
export type Output = Command | EventDraft;

/** Whether an output is a fact, which goes into the trace and to the machines. Pure. */
export function isFact(output: Output): output is EventDraft {
  return output.type.includes('.');
}

/** Milliseconds of a deadline: the testbed's own or the default. Pure. */
export function limitOf(deadlines: DeadlineTable, deadline: Deadline): number {
  return deadlines[deadline] ?? DEADLINES[deadline];
}

/** The command that arms a deadline. Pure. */
export function arm(of: Subject, deadline: Deadline, ms?: number): Command {
  return { type: 'arm', testbed: of.testbed, deadline, subject: of.subject, ms: ms ?? limitOf(of.deadlines, deadline) };
}

/** The command that takes a deadline back. Pure. */
export function disarm(of: Subject, deadline: Deadline): Command {
  return { type: 'disarm', testbed: of.testbed, deadline, subject: of.subject };
}

/** What a machine must know of itself to speak of its deadlines. */
export interface Subject {
  testbed: string;
  /** `kind:id`. */
  subject: string;
  deadlines: DeadlineTable;
}

/** A cause, written in one line. Pure. */
export function causeOf(
  causeClass: CauseClass,
  phase: Phase,
  doing: string,
  evidence: readonly number[],
  detail?: string,
): Cause {
  const cause: Cause = { class: causeClass, phase, doing, evidence: [...evidence] };
  return detail === undefined ? cause : { ...cause, detail };
}

/** The fact that an event came which the machine's state does not expect. Pure. */
export function unexpected(
  of: { testbed: string | null; subject: string },
  state: string,
  event: { seq: number; type: EventType },
): EventDraft<'event.unexpected'> {
  return {
    type: 'event.unexpected',
    testbed: of.testbed,
    from: 'machine',
    machine: of.subject,
    state,
    event: event.seq,
    eventType: event.type,
  };
}
