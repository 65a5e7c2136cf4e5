import { afterAll, beforeAll, beforeEach, expect, vi } from 'vitest';
import { IMAGE_PATIENCE } from '../../support/images.ts';
import { describeWith, type Need } from '../../support/needs.ts';
import { abort } from '../suites/abort.ts';
import { reboot, revert } from '../suites/again.ts';
import { concurrency } from '../suites/concurrency.ts';
import { copies } from '../suites/copies.ts';
import { descriptors } from '../suites/descriptors.ts';
import { exec } from '../suites/exec.ts';
import { open } from '../suites/open.ts';
import { parity } from '../suites/parity.ts';
import { shell } from '../suites/shell.ts';
import { teardown } from '../suites/teardown.ts';
import { users } from '../suites/users.ts';
import { type BackendUnderTest, EVERY_BACKEND, type Group, type Preparation } from './backends.ts';
import { type Bed, openBed } from './bed.ts';
import type { Contract } from './contract.ts';
import { markedProcesses } from './marks.ts';

interface Part {
  readonly name: string;
  readonly suite: (contract: Contract) => void;
  /** What it needs beyond what the backend does; null where the backend cannot have it. */
  readonly needs?: (backend: BackendUnderTest) => readonly Need[] | null;
}

/**
 * What is asked of every backend, in this order: first what is seen of a testbed that nobody has used, last what
 * leaves nothing of what was done to it. The tests share a testbed but for those that say how one comes and goes: to
 * make it takes longer than most of them.
 */
const PARTS: readonly Part[] = [
  { name: 'parity', suite: parity },
  { name: 'open', suite: open },
  { name: 'exec', suite: exec },
  { name: 'users', suite: users, needs: ({ ordinary }) => ordinary },
  { name: 'copies', suite: copies },
  { name: 'descriptors', suite: descriptors, needs: ({ server }) => (server === 'stand-in' ? ['perl'] : []) },
  { name: 'shell', suite: shell, needs: ({ pty }) => pty },
  { name: 'concurrency', suite: concurrency },
  { name: 'reboot', suite: reboot, needs: ({ capabilities }) => (capabilities.includes('reboot') ? [] : null) },
  { name: 'revert', suite: revert, needs: ({ capabilities }) => (capabilities.includes('revert') ? [] : null) },
  { name: 'abort', suite: abort },
  { name: 'teardown', suite: teardown },
];

/** The whole contract for every backend of a group. */
export function describeBackends(group: Group): void {
  for (const backend of EVERY_BACKEND) if (backend.group === group) describeBackend(backend);
}

function describeBackend(backend: BackendUnderTest): void {
  describeWith(backend.needs, backend.name, () => {
    let preparation: Preparation | null = null;
    let bed: Bed | null = null;
    const given = <T>(thing: T | null, what: string): T => {
      if (thing === null) throw new Error(`${backend.name}: there is no ${what}`);
      return thing;
    };
    beforeAll(async () => {
      preparation = await backend.prepare();
      bed = await openBed(preparation);
      // The first that needs an image makes it.
    }, IMAGE_PATIENCE);
    // A test that lost the testbed has failed; those after it shall tell of themselves.
    beforeEach(async () => {
      if (bed?.isGone() !== true) return;
      const lost = bed;
      bed = await openBed(given(preparation, 'preparation'));
      await lost[Symbol.asyncDispose]();
    });
    afterAll(async () => {
      try {
        await bed?.[Symbol.asyncDispose]();
      } finally {
        await preparation?.[Symbol.asyncDispose]();
      }
      // A server that was killed takes a moment to die.
      await vi.waitFor(() => expect(markedProcesses()).toEqual([]), { timeout: 10_000 });
    });
    const contract: Contract = {
      backend,
      get preparation() {
        return given(preparation, 'preparation');
      },
      get testbed() {
        return given(bed, 'shared testbed').testbed;
      },
      get log() {
        return given(bed, 'shared testbed').log;
      },
      get ordinary() {
        return given(given(preparation, 'preparation').ordinary, 'ordinary user');
      },
      open: (options) => openBed(given(preparation, 'preparation'), options),
    };
    for (const { name, suite, needs = () => [] } of PARTS) {
      const more = needs(backend);
      if (more === null || backend.spared?.includes(name)) continue;
      describeWith(more, name, () => suite(contract));
    }
  });
}
