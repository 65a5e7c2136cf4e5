import { Subject } from 'rxjs';
import type { BackendVerbs, ConfiguredBackend, Observation } from '../../../src/backends/contract.ts';
import { configureBackend } from '../../../src/backends/index.ts';
import type { Capability } from '../../../src/events/index.ts';
import type { Run } from '../../../src/testbed/index.ts';

/** This machine as a testbed, of which one can say when it dies, and which says of itself that it can be put back. */
export interface FaultyHere {
  readonly backend: ConfiguredBackend;
  /** What was done to its testbeds, as in `reset tb1`. */
  readonly done: readonly string[];
  /** Has a testbed stop by itself; for a place in a test's course, call it where that is told. */
  stop(testbed: string): void;
}

/** How it differs from the null backend. */
export interface FaultyOptions {
  readonly capabilities?: readonly Capability[];
  /** In place of a verb of a testbed; null for the verb itself. */
  readonly instead?: (verb: 'create' | 'reset', testbed: string) => Promise<void> | null;
}

export async function faultyHere({ capabilities = [], instead = () => null }: FaultyOptions = {}): Promise<FaultyHere> {
  const here = await configureBackend(['null']);
  const observed = new Map<string, Subject<Observation>>();
  const done: string[] = [];
  const backend: ConfiguredBackend = {
    name: 'here',
    words: ['here'],
    capabilities: () => [...here.capabilities(), ...capabilities],
    open(host) {
      const verbs: BackendVerbs = here.open(host);
      const observations$ = new Subject<Observation>();
      observed.set(host.testbed, observations$);
      const noted = (verb: 'create' | 'reset', own: () => Promise<void>) => () => {
        done.push(`${verb} ${host.testbed}`);
        return instead(verb, host.testbed) ?? own();
      };
      return {
        observations$,
        create: noted('create', () => verbs.create(new AbortController().signal)),
        start: (signal) => verbs.start(signal),
        endpoint: async (signal) => {
          const { endpoint, capabilities: own } = await verbs.endpoint(signal);
          return { endpoint, capabilities: [...own, ...capabilities] };
        },
        reset: noted('reset', () => Promise.resolve()),
        stop: (signal) => verbs.stop(signal),
        destroy: (signal) => verbs.destroy(signal),
      };
    },
  };
  const stop = (testbed: string) => observed.get(testbed)?.next({ type: 'guest.stopped', reason: 'the power is gone' });
  return { backend, done, stop };
}

/** Stops the testbed in which one of these tests begins, as often as it is named. */
export function stopIn(tests: readonly string[], host: FaultyHere): (run: Run) => void {
  const left = [...tests];
  return (run) => {
    run.events$.subscribe((event) => {
      if (event.type !== 'test.started' || !left.includes(event.test)) return;
      left.splice(left.indexOf(event.test), 1);
      queueMicrotask(() => host.stop(event.testbed ?? ''));
    });
  };
}
