import { type Observable, ReplaySubject } from 'rxjs';
import type { EventType, TrundleEvent } from '../../src/events/index.ts';

/** Milliseconds that an awaited event may take: far more than it ever should, so that only a fault shows. */
const PATIENCE = 30_000;

/** Everything that a run told, and a way to wait for what it tells next. */
export class EventLog {
  readonly events: TrundleEvent[] = [];
  readonly #replayed = new ReplaySubject<TrundleEvent>();

  /** Listens from now on: make it before the run does anything. */
  constructor(events$: Observable<TrundleEvent>) {
    events$.subscribe((event) => {
      this.events.push(event);
      this.#replayed.next(event);
    });
    events$.subscribe({ complete: () => this.#replayed.complete() });
  }

  /**
   * The first event of this type that the predicate accepts, already told or yet to come.
   * @throws Error with all that was told instead, where the run ends or time is up without it
   */
  first<T extends EventType>(
    type: T,
    accept: (event: TrundleEvent<T>) => boolean = () => true,
  ): Promise<TrundleEvent<T>> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        clearTimeout(timer);
        reject(new Error(`${why} without ${type}; it told:\n${this.told()}`));
      };
      const timer = setTimeout(() => {
        subscription.unsubscribe();
        fail(`${PATIENCE / 1000} s passed`);
      }, PATIENCE);
      let found = false;
      const subscription = this.#replayed.subscribe({
        next: (event) => {
          if (found || event.type !== type || !accept(event as TrundleEvent<T>)) return;
          found = true;
          clearTimeout(timer);
          resolve(event as TrundleEvent<T>);
        },
        complete: () => {
          if (!found) fail('the run ended');
        },
      });
    });
  }

  /**
   * What a promise gives.
   * @throws Error with all that was told, where time is up before
   */
  async during<T>(what: string, promise: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const fail = () => reject(new Error(`${what}: not within ${PATIENCE / 1000} s; it told:\n${this.told()}`));
      timer = setTimeout(fail, PATIENCE);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** All events of a type so far. */
  all<T extends EventType>(type: T): TrundleEvent<T>[] {
    return this.events.filter((event) => event.type === type) as TrundleEvent<T>[];
  }

  /** What was told, for people. */
  told(): string {
    return this.events
      .map(({ v: _v, run: _run, seq, at, testbed: _testbed, from: _from, type, ...data }) =>
        `${String(seq).padStart(5)} ${String(at).padStart(10)} ${type} ${JSON.stringify(data)}`.slice(0, 240),
      )
      .join('\n');
  }
}
