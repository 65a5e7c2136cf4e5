import type { TrundleEvent } from '../../events/index.ts';

/** Types that tell of nothing but trouble. */
const ALWAYS = /\.(?:failed|lost|refused|mismatched|rejected|panicked|unexpected|unidentified|abandoned)$/;

/** Whether an event tells of something gone wrong: what `next failure` stops at. Pure. */
export function isFailure(event: TrundleEvent): boolean {
  if ('say' in event) return (event as { type: string }).type === 'actor.failed';
  switch (event.type) {
    case 'deadline.expired':
      // The pause between two attempts is a deadline too, and no failure.
      return event.deadline !== 'redial';
    case 'test.finished':
      return event.cause !== null || event.result.kind !== 'exited' || event.result.status !== 0;
    case 'test.judged':
      return event.outcome === 'fail' || event.outcome === 'badpkg';
    case 'command.concluded':
      return event.cause !== null;
    case 'run.concluded':
      return event.cause !== null;
    case 'testbed.removed':
      return event.leftovers.length > 0;
    case 'guest.stopped':
    case 'keepalive.missed':
    case 'command.signalled':
    case 'operator.signalled':
      return true;
    default:
      return ALWAYS.test(event.type);
  }
}

/** The nearest of some seqs in order after (`1`) or before (`-1`) one; null where there is none. Pure. */
export function nextOf(seqs: readonly number[], from: number, direction: 1 | -1): number | null {
  return (direction === 1 ? seqs.find((seq) => seq > from) : seqs.findLast((seq) => seq < from)) ?? null;
}
