import type { Cause, EventDraft, TrundleEvent } from '../events/index.ts';
import { MACHINES, type Machines } from '../machines/index.ts';

/** How often a slice is tried at most. */
const MOST_TRIALS = 20_000;

/** The smallest slice of a history that still comes to the same cause. */
export interface Slice {
  cause: Cause;
  /** What happened, without what machines concluded from it. Taking any one of these away changes the cause. */
  events: readonly TrundleEvent[];
  /** What the machines conclude from them, in between. */
  history: readonly TrundleEvent[];
  /** How many events the whole history has, and how often a part of it was tried. */
  of: number;
  trials: number;
  /** False where there were too many trials: a smaller slice may be possible. */
  smallest: boolean;
}

type Fold = Pick<Machines, 'accept'>;

const HEARD: ReadonlySet<string> = new Set(Object.values(MACHINES).flatMap(({ alphabet }) => [...alphabet]));

/**
 * Takes away whatever may be taken away from a history while today's machines still come to a cause of the same class,
 * phase and doing (delta debugging, ddmin of Zeller and Hildebrandt). Null where the history has no cause. Pure.
 */
export function minimise(
  events: readonly TrundleEvent[],
  createMachines: () => Fold,
  most: number = MOST_TRIALS,
): Slice | null {
  const happened = events.filter((event) => event.from !== 'machine' && HEARD.has(event.type));
  const cause = concluded(happened, createMachines).cause;
  if (cause === null) return null;
  let trials = 0;
  const still = (slice: readonly TrundleEvent[]) => {
    trials++;
    const found = concluded(slice, createMachines).cause;
    return found !== null && found.class === cause.class && found.phase === cause.phase && found.doing === cause.doing;
  };
  let slice: readonly TrundleEvent[] = happened;
  let parts = 2;
  while (slice.length > 1 && trials < most) {
    const size = Math.ceil(slice.length / parts);
    let smaller: readonly TrundleEvent[] | null = null;
    for (let from = 0; from < slice.length && trials < most; from += size) {
      const rest = [...slice.slice(0, from), ...slice.slice(from + size)];
      if (still(rest)) {
        smaller = rest;
        break;
      }
    }
    if (smaller !== null) {
      slice = smaller;
      parts = Math.max(2, parts - 1);
    } else if (size === 1) break;
    else parts = Math.min(slice.length, parts * 2);
  }
  const end = concluded(slice, createMachines);
  return {
    cause: end.cause ?? cause,
    events: slice,
    history: end.history,
    of: events.length,
    trials,
    smallest: trials < most,
  };
}

/** What machines make of events that follow each other: each with all that follows from it before the next. */
function concluded(
  events: readonly TrundleEvent[],
  createMachines: () => Fold,
): { cause: Cause | null; history: TrundleEvent[] } {
  const machines = createMachines();
  const history: TrundleEvent[] = [];
  let cause: Cause | null = null;
  let next = (events.at(-1)?.seq ?? 0) + 1;
  const pending: EventDraft[] = [];
  const take = (event: TrundleEvent) => {
    history.push(event);
    if (event.type === 'run.concluded') cause = event.cause;
    pending.push(...machines.accept(event).facts);
  };
  for (const event of events) {
    take(event);
    for (let fact = pending.shift(); fact !== undefined; fact = pending.shift())
      take({ v: 1, seq: next++, at: event.at, run: event.run, ...fact } as TrundleEvent);
  }
  return { cause, history };
}
