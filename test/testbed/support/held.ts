import { type BackendVerbs, type ConfiguredBackend, configureBackend } from '../../../src/backends/index.ts';

type Verb = 'create' | 'start' | 'endpoint' | 'restart' | 'reset' | 'stop' | 'destroy';

/** This machine as a testbed whose backend comes to a halt in one verb. */
export interface Held {
  readonly backend: ConfiguredBackend;
  /** Resolves when the verb is reached. */
  readonly reached: Promise<void>;
  /** Lets it go on, now and whenever it comes again. */
  release(): void;
  /** All verbs that were called, in order. */
  readonly called: readonly Verb[];
}

/** Makes it. The verb heeds its signal. With `revert` and `reboot`, which start the stand-in anew. */
export async function holdAt(verb: Verb | null): Promise<Held> {
  const here = await configureBackend(['null']);
  const called: Verb[] = [];
  let reach = () => {};
  let release = () => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const hold = async (name: Verb, signal: AbortSignal) => {
    called.push(name);
    if (name !== verb) return;
    reach();
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      void released.then(resolve);
    });
  };
  const capabilities = [...here.capabilities(), 'revert', 'reboot'] as const;
  return {
    backend: {
      ...here,
      capabilities: () => capabilities,
      open(host) {
        const verbs = here.open(host);
        const again = async (signal: AbortSignal) => {
          await verbs.stop(signal);
          await verbs.start(signal);
        };
        const held = (name: Verb, run: (signal: AbortSignal) => Promise<void>) => async (signal: AbortSignal) => {
          await hold(name, signal);
          await run(signal);
        };
        return {
          observations$: verbs.observations$,
          create: held('create', (signal) => verbs.create(signal)),
          start: held('start', (signal) => verbs.start(signal)),
          async endpoint(signal) {
            await hold('endpoint', signal);
            return { ...(await verbs.endpoint(signal)), capabilities };
          },
          restart: held('restart', again),
          reset: held('reset', again),
          stop: held('stop', (signal) => verbs.stop(signal)),
          destroy: held('destroy', (signal) => verbs.destroy(signal)),
        } satisfies BackendVerbs;
      },
    },
    reached,
    release,
    called,
  };
}
