import type { Cause, Clock, EventDraft, TrundleEvent } from '../events/index.ts';
import type { Machines } from '../machines/index.ts';
import type { TraceHeader } from './contract.ts';
import type { Slice } from './minimise.ts';
import { createRecorder } from './recorder.ts';
import { sameJson } from './sameJson.ts';

/**
 * Writes a slice of a history as a trace of its own: what happened, what today's machines make of it, numbered anew. Bytes
 * of streams are not in it.
 * @throws TraceError where the directory holds a trace, or cannot be written
 */
export function writeSlice(
  directory: string,
  {
    slice,
    header,
    clock,
    createMachines,
  }: {
    slice: Slice;
    header: TraceHeader;
    clock: Clock;
    createMachines: () => Pick<Machines, 'accept'>;
  },
): void {
  const failed: Error[] = [];
  const recorder = createRecorder({ directory, header, clock, onError: (error) => failed.push(error) });
  const machines = createMachines();
  const numbers = new Map<number, number>();
  const pending: EventDraft[] = [];
  let seq = 0;
  const take = (event: TrundleEvent) => {
    recorder.event(event);
    const { facts, decisions } = machines.accept(event);
    for (const decision of decisions) recorder.decision(decision);
    pending.push(...facts);
  };
  for (const event of slice.events) {
    numbers.set(event.seq, ++seq);
    take(renumbered(event, seq, numbers));
    for (let fact = pending.shift(); fact !== undefined; fact = pending.shift()) {
      const { v, at, run } = event;
      const concluded = { v, seq: ++seq, at, run, ...fact } as TrundleEvent;
      const before = slice.history.find((each) => each.from === 'machine' && sameBut(each, concluded));
      if (before !== undefined) numbers.set(before.seq, seq);
      take(concluded);
    }
  }
  recorder.close();
  if (failed[0] !== undefined) throw failed[0];
}

/** An event under another number, with the evidence of its cause under theirs. */
function renumbered(event: TrundleEvent, seq: number, numbers: ReadonlyMap<number, number>): TrundleEvent {
  const cause = 'cause' in event ? (event.cause as Cause | null) : null;
  if (cause === null) return { ...event, seq };
  const evidence = cause.evidence.flatMap((each) => numbers.get(each) ?? []);
  return { ...event, seq, cause: { ...cause, evidence } } as TrundleEvent;
}

function sameBut(a: TrundleEvent, b: TrundleEvent): boolean {
  return a.type === b.type && a.at === b.at && sameJson({ ...a, seq: 0, cause: null }, { ...b, seq: 0, cause: null });
}
