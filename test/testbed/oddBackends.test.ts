import { join } from 'node:path';
import { Subject } from 'rxjs';
import { expect, test } from 'vitest';
import { type BackendVerbs, type ConfiguredBackend, configureBackend } from '../../src/backends/index.ts';
import { openTestbed } from '../../src/testbed/index.ts';
import { workplace } from '../support/workplace.ts';
import { eventsOf } from './support/traceOf.ts';

/** This machine, by a backend whose author made a mistake that no compiler saw. */
async function odd(change: (verbs: BackendVerbs, tell: (told: unknown) => void) => object): Promise<ConfiguredBackend> {
  const here = await configureBackend(['null']);
  return {
    ...here,
    name: 'odd',
    open(host) {
      const verbs = here.open(host);
      const observations$ = new Subject<unknown>();
      verbs.observations$.subscribe(observations$);
      const names = ['create', 'start', 'endpoint', 'stop', 'destroy'] as const;
      const bound = Object.fromEntries(names.map((name) => [name, verbs[name].bind(verbs)]));
      const tell = (told: unknown) => observations$.next(told);
      return { ...bound, observations$, ...change(verbs, tell) } as unknown as BackendVerbs;
    },
  };
}

test.each<[unknown, string]>([
  [null, 'an observation must be an object, not null'],
  [{ type: 'guest.exploded' }, 'there is no observation "guest.exploded"; there are console.printed, '],
  // An event like any other, but not a backend's to tell: it would be the run's verdict.
  [{ type: 'run.concluded', exitCode: 0, cause: null }, 'there is no observation "run.concluded"; there are '],
  [{ type: 'guest.panicked' }, 'message of guest.panicked must be a string, not undefined'],
  [{ type: 'console.printed', line: 5n }, 'line of console.printed must be a string, not 5n'],
])('an observation that is none ends the testbed, and the trace can be read: %s', async (told, why) => {
  const trace = join(workplace(), 'trace');
  const backend = await odd((verbs, tell) => ({
    start(signal: AbortSignal) {
      tell(told);
      return verbs.start(signal);
    },
  }));
  const reason = `the backend odd tells what nobody understands: ${why}`;
  await expect(openTestbed(backend, { trace })).rejects.toThrow(reason);
  expect((await eventsOf(trace)).at(-1)).toMatchObject({ type: 'run.concluded', cause: { class: 'testbed-died' } });
});

test('of an observation, only what belongs there is taken', async () => {
  const trace = join(workplace(), 'trace');
  const cyclic: Record<string, unknown> = { type: 'console.printed', line: 'hello', v: 9, run: 'zz', testbed: 'tb9' };
  cyclic.self = cyclic;
  const backend = await odd((verbs, tell) => ({
    start(signal: AbortSignal) {
      tell(cyclic);
      return verbs.start(signal);
    },
  }));
  const testbed = await openTestbed(backend, { trace });
  expect(await testbed.close()).toMatchObject({ cause: null, leftovers: [] });
  const [told] = (await eventsOf(trace)).filter(({ type }) => type === 'console.printed');
  expect(told).toMatchObject({ line: 'hello', testbed: 'tb1', from: 'backend' });
});

test.each<[unknown, string]>([
  [undefined, 'what endpoint() gives must be an object, not undefined'],
  [{ host: 'box' }, 'what endpoint() gives: capabilities must be an array of strings, not undefined'],
  [{ capabilities: [], endpoint: {} }, 'what endpoint() gives: endpoint.via must be an object, not undefined'],
  [
    { capabilities: [], endpoint: { via: { kind: 'tcp', host: 'box', port: '22' } } },
    "what endpoint() gives: endpoint.via.port must be a whole number from 1 to 65535, not '22'",
  ],
])('an endpoint that is none is told by the place that is wrong: %s', async (location, why) => {
  const backend = await odd(() => ({ endpoint: async () => location }));
  await expect(openTestbed(backend)).rejects.toThrow(why);
});

test('a backend that never lets go of a testbed that is to stay is said to be why it does not', async () => {
  const backend = await odd(() => ({ keep: () => new Promise(() => {}) }));
  const testbed = await openTestbed(backend, { deadlines: { keep: 100, cancel: 100 } });
  expect(await testbed.close({ keep: true })).toMatchObject({
    kept: null,
    whyNotKept: 'its backend did not let go of it within 100 ms',
  });
});
