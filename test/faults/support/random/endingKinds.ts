import { rmSync } from 'node:fs';
import { expect } from 'vitest';
import type { ProviderKind } from '../providers.ts';
import { type StuckRemoval, stuckRemoval } from '../stuckRemoval.ts';
import type { Fault, Kind } from './fault.ts';
import type { Mortal } from './places.ts';

/** Faults of what a testbed is kept and taken away by. */
export const ENDING_KINDS: Readonly<Record<string, Kind>> = {
  'its daemon dies': (place, draw) => {
    const { mortal, exists } = place;
    if (mortal === undefined) return null;
    const meanwhile = draw.of(['while echo here; do sleep 1; done', 'echo here; sleep 1000']);
    let daemon: Mortal | undefined;
    return {
      what: `during ${meanwhile}`,
      words: async () => {
        daemon = await mortal();
        return daemon.words;
      },
      use: async (testbed, log) => {
        const running = testbed.exec(meanwhile);
        await Promise.all([running, log.first('command.started').then(() => daemon?.kill())]);
      },
      // A server's sessions leave nothing.
      ...(exists
        ? { expected: { class: 'connection-closed', phase: 'exec' } }
        : { expected: { class: 'testbed-died', phase: 'exec' }, ofRun: true, mend: goneWithDaemon }),
    };
  },
  'its removal never ends': (place, draw) => {
    if (place.exists) return null;
    const patience = 700 + draw.below(600);
    let removal: StuckRemoval | undefined;
    return {
      what: `and ${patience} ms are given`,
      words: () => {
        removal = stuckRemoval(place.name as ProviderKind['name'], place.words(place.image ?? ''));
        return removal.words;
      },
      options: { deadlines: { shutdown: patience, destroy: patience, teardown: 12_000 } },
      use: async (testbed) => {
        await testbed.exec(['true']);
        removal?.stick();
      },
      expected: { class: 'teardown-failed', phase: 'teardown' },
      ofRun: true,
      mend: (left) => removal?.mend(left),
    };
  },
};

/** The container is in its daemon's store, and goes with that: it could not be removed, and is named. */
const goneWithDaemon: NonNullable<Fault['mend']> = (left) => {
  expect(left).toContainEqual(expect.objectContaining({ kind: 'container' }));
  for (const { kind, name } of left) if (kind === 'directory') rmSync(name, { recursive: true });
};
