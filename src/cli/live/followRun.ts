import type { Clock, TrundleEvent } from '../../events/index.ts';
import type { Run } from '../../testbed/index.ts';
import { describeEvent } from '../../trace/index.ts';
import type { Colors } from './colors.ts';
import { Progress } from './Progress.ts';
import type { Screen } from './Screen.ts';
import { statusText } from './statusText.ts';

/** How a run is shown while it goes. */
export interface FollowOptions {
  readonly screen: Screen;
  readonly colors: Colors;
  readonly clock: Clock;
  /** Prints lines where there is no terminal for a status line. */
  readonly lines: boolean;
}

/** Milliseconds between an event and the status line that tells it: events come in bursts. */
const SETTLE = 40;
/** Milliseconds between two status lines while nothing happens. */
const TICK = 1000;

/** Shows what a run is doing: a status line on a terminal, lines of text elsewhere. Returns what ends that. */
export function followRun(run: Run, options: FollowOptions): () => void {
  const { screen, lines } = options;
  if (screen.live) return followLive(run, options);
  return lines ? followInLines(run, screen) : () => {};
}

function followLive(run: Run, { screen, colors, clock }: FollowOptions): () => void {
  const progress = new Progress();
  const start = clock.now();
  const now = () => clock.now() - start;
  let timer: unknown = null;
  let soon = false;
  const draw = () => {
    soon = false;
    screen.status(statusText(progress.view, now(), screen.width, colors));
    timer = clock.after(TICK, draw);
  };
  const change = () => {
    if (soon) return;
    soon = true;
    if (timer !== null) clock.clear(timer);
    timer = clock.after(SETTLE, draw);
  };
  const decisions = run.decisions$.subscribe((decision) => progress.decided(decision, now()));
  const events = run.events$.subscribe((event) => {
    progress.see(event);
    change();
  });
  return () => {
    decisions.unsubscribe();
    events.unsubscribe();
    if (timer !== null) clock.clear(timer);
    screen.status('');
  };
}

/** What is worth a line to somebody who reads a log: steps of the testbed's life, and all that goes wrong. */
const NEWS: ReadonlySet<TrundleEvent['type']> = new Set<TrundleEvent['type']>([
  'testbed.requested',
  'testbed.readied',
  'testbed.removed',
  'testbed.kept',
  'dial.failed',
  'hostkey.mismatched',
  'auth.refused',
  'connection.lost',
  'keepalive.missed',
  'guest.panicked',
  'recording.left',
  'guest.stopped',
  'reboot.requested',
  'reboot.proven',
  'revert.requested',
  'deadline.expired',
]);

function followInLines(run: Run, screen: Screen): () => void {
  let before = '';
  const events = run.events$.subscribe((event) => {
    if (!NEWS.has(event.type)) return;
    // Retrying is a deadline too, and no news.
    if (event.type === 'deadline.expired' && event.deadline === 'redial') return;
    const text = describeEvent(event);
    if (text === before) return;
    before = text;
    screen.stderr.write(`trundle: ${event.testbed === null ? '' : `${event.testbed}: `}${text}\n`);
  });
  return () => events.unsubscribe();
}
