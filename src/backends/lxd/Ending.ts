import type { Clock } from '../../events/index.ts';
import type { News } from './Monitor.ts';

/** What the daemon tells of an instance that does not run any more, and what a person is told. */
const ENDS: Readonly<Record<string, string>> = {
  'instance-shutdown': 'was shut down',
  'instance-deleted': 'was removed by somebody else',
  'instance-restarted': 'rebooted, and nobody had asked for it',
};

const STOPPED = 'was stopped from outside, or its init died';

const FROZEN = 'was frozen by somebody else';

/** How the daemon calls what somebody asks of it, as in `Freezing instance`. */
type Asked = 'Freezing' | 'Stopping' | 'Deleting';

/** Milliseconds in which a freeze that nobody is known to have asked for must come to what it was for. */
const FREEZE_LIMIT = 30_000;

/** Milliseconds in which the removal begins of an instance that was stopped for it: a client asks for the two in turn. */
const REMOVAL_LIMIT = 3000;

/**
 * Works out of what a daemon tells how an instance has ended. It freezes one before it stops it by force, and in some
 * pools while it copies it; one that is removed, it stops first. So a freeze is an end only where it is all that was
 * asked for, and a stop is the last word only where no removal follows. An operation and what comes of it are told in any
 * order.
 */
export class Ending {
  readonly #clock: Clock;
  readonly #ended: (what: string) => void;
  #timer: unknown = null;
  /** What it came to last, which may not be its end. */
  #state: 'frozen' | 'stopped' | null = null;
  readonly #asked = new Set<string>();

  /** @param ended is told what has become of the instance */
  constructor(clock: Clock, ended: (what: string) => void) {
    this.#clock = clock;
    this.#ended = ended;
  }

  hear(news: News): void {
    if (news.kind === 'operation') this.#hearOperation(news.what, news.status);
    else if (news.what === 'instance-resumed') this.forget();
    else if (news.what === 'instance-paused') this.#reach('frozen');
    else if (news.what === 'instance-stopped') this.#reach('stopped');
    else this.#end(news.what);
  }

  /** Takes back what is not told yet: what becomes of the instance is our own doing, or was told. */
  forget(): void {
    this.#clock.clear(this.#timer);
    this.#timer = null;
    this.#state = null;
    this.#asked.clear();
  }

  #hearOperation(what: string, status: string): void {
    const [asked = ''] = what.split(' ');
    if (status === 'Failure') this.#asked.delete(asked);
    else this.#asked.add(asked);
    if (this.#state === 'frozen' && asked === 'Freezing') this.#reach('frozen');
    if (this.#state === 'stopped' && asked === 'Deleting') this.#reach('stopped');
  }

  #reach(state: 'frozen' | 'stopped'): void {
    this.#state = state;
    if (state === 'frozen') this.#tell(FROZEN, this.#is('Freezing') ? 0 : FREEZE_LIMIT);
    else if (this.#is('Deleting')) this.#end('instance-deleted');
    // Where nobody asked for it, it has ended by itself, and nobody goes on to remove it.
    else this.#tell(STOPPED, this.#is('Stopping') ? REMOVAL_LIMIT : 0);
  }

  #is(asked: Asked): boolean {
    return this.#asked.has(asked);
  }

  #end(action: string): void {
    const what = ENDS[action];
    if (what !== undefined) this.#tell(what, 0);
  }

  /** Tells of an end after so many milliseconds, unless it is heard of another until then. */
  #tell(what: string, after: number): void {
    this.#clock.clear(this.#timer);
    this.#timer = null;
    if (after === 0) this.#ended(what);
    else this.#timer = this.#clock.after(after, () => this.#ended(what));
  }
}
