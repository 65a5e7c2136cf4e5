import type { Deadline } from '../../events/index.ts';
import { DEADLINE_NOTES } from '../../trace/pure.ts';
import { lastAtMost, type RunModel } from './RunModel.ts';

/** A deadline that runs. */
export interface Waiting {
  readonly machine: string;
  readonly state: string;
  readonly deadline: string;
  /** What it bounds, and what follows when it passes; empty for a deadline that this version does not know. */
  readonly bounds: string;
  readonly follows: string;
  /** Milliseconds of the run's clock at which it passes. */
  readonly at: number;
}

/** The deadlines that run after an event, the next to pass first: what a run that stands still waits for. Pure. */
export function waitingAt(model: RunModel, seq: number): Waiting[] {
  const waiting: Waiting[] = [];
  for (const track of model.machines.values()) {
    const last = lastAtMost(track.steps, seq);
    const now = track.steps[last];
    if (now === undefined || (track.ended !== null && track.ended <= seq)) continue;
    const armed = new Map<string, { deadline: string; since: number; ms: number }>();
    for (let index = 0; index <= last; index++) {
      const step = track.steps[index];
      for (const command of step?.commands ?? []) {
        if (command.type === 'arm')
          armed.set(command.deadline, { deadline: command.deadline, since: step?.seq ?? 0, ms: command.ms });
        else if (command.type === 'disarm') armed.delete(command.deadline);
      }
    }
    for (const { deadline, since, ms } of armed.values()) {
      const at = (model.event(since)?.at ?? 0) + ms;
      // One that passed is no longer waited for, though nobody took it back.
      if (passed(model, track.id, deadline, since, seq)) continue;
      const [bounds = '', follows = ''] = DEADLINE_NOTES[deadline as Deadline] ?? [];
      waiting.push({ machine: track.id, state: now.state, deadline, bounds, follows: follows.replaceAll('`', ''), at });
    }
  }
  return waiting.sort((a, b) => a.at - b.at);
}

function passed(model: RunModel, machine: string, deadline: string, since: number, seq: number): boolean {
  return model.failures.some((failure) => {
    const event = failure > since && failure <= seq ? model.event(failure) : null;
    return event?.type === 'deadline.expired' && event.subject === machine && event.deadline === deadline;
  });
}
