import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import type { TrundleEvent } from '../../../src/events/index.ts';
import { processesWith } from '../../contract/support/marks.ts';
import { scriptAt } from '../../support/containers.ts';
import { findProgram } from '../../support/needs.ts';
import { workplace } from '../../support/workplace.ts';
import type { ProviderKind } from './providers.ts';

/** Something that was taken, as the trace tells it. */
type Resource = TrundleEvent<'resource.acquired'>;

/** The program by which each backend takes a testbed away, and the word by which it is known that it does. */
const REMOVERS: Readonly<Record<ProviderKind['name'], readonly [program: string, word: string]>> = {
  chroot: ['rm', '-rf'],
  unshare: ['rm', '-rf'],
  nspawn: ['rm', '-rf'],
  lxc: ['rm', '-rf'],
  schroot: ['schroot', '--end-session'],
  podman: ['podman', 'rm'],
  docker: ['docker', 'rm'],
  lxd: ['lxc', 'delete'],
  incus: ['incus', 'delete'],
};

/** The kind of what is left where the removal never ends. */
const LEFT: Partial<Record<ProviderKind['name'], Resource['kind']>> = {
  schroot: 'session',
  podman: 'container',
  docker: 'container',
  lxd: 'container',
  incus: 'container',
};

/** A backend whose removals never end while it is stuck. */
export interface StuckRemoval {
  readonly words: readonly string[];
  /** From now on no removal ends. */
  stick(): void;
  /** Expects what must be left by it, and nobody still at it, and removes what is left as is said there. */
  mend(left: readonly Resource[]): Promise<void>;
}

/** Puts a script before the program that removes, for the running test. */
export function stuckRemoval(name: ProviderKind['name'], given: readonly string[]): StuckRemoval {
  const place = workplace();
  const stuck = join(place, 'stuck');
  const [program, word] = REMOVERS[name];
  const at = given.indexOf('--program') + 1;
  const real = at === 0 ? (findProgram(program) ?? '') : (given[at] ?? '');
  mkdirSync(join(place, 'bin'));
  const script = `if [ -e '${stuck}' ]; then case " $* " in *" ${word} "*) sleep 1000; exit 1;; esac; fi; exec ${real} "$@"`;
  const wrapper = scriptAt(join(place, 'bin', program), script);
  if (at === 0) {
    const usual = process.env.PATH;
    vi.stubEnv('PATH', `${join(place, 'bin')}:${usual}`);
    onTestFinished(() => void vi.stubEnv('PATH', usual));
  }
  return {
    words: at === 0 ? given : given.with(at, wrapper),
    stick: () => writeFileSync(stuck, ''),
    async mend(left) {
      // Who was not waited for any more does not go on.
      await expect.poll(() => processesWith(place), { timeout: 20_000 }).toEqual([]);
      expect(left).toContainEqual(expect.objectContaining({ kind: LEFT[name] ?? 'directory' }));
      rmSync(stuck);
      for (const resource of left.toReversed()) remove(resource);
    },
  };
}

function remove({ kind, name, release = ['rm', '-rf', name] }: Resource): void {
  const [first = '', ...args] = release;
  const done = spawnSync(first, args, { encoding: 'utf8', timeout: 60_000 });
  expect([done.status, done.stderr]).toEqual([0, '']);
  if (kind === 'directory') expect(existsSync(name)).toBe(false);
}
