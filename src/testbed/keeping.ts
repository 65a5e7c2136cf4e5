import { basename } from 'node:path';
import type { ConfiguredBackend } from '../backends/index.ts';
import type { KeptTestbed } from './contract.ts';
import { typed } from './lineOf.ts';
import type { Run } from './runContract.ts';

/** When testbeds stay after the run (--keep). */
export type KeepWhen = 'never' | 'on-failure' | 'always';

/** A testbed that stays after the run, with what a person and a program are told of it. */
export interface KeptResult extends KeptTestbed {
  /** The scratch directory in it, with the tree and what the tests left; null where there is none. */
  readonly scratch: string | null;
  /** The command that removes it; null where no trace tells what that is: then those of its resources do. */
  readonly remove: readonly string[] | null;
}

/**
 * What is said to who asks for testbeds to stay that cannot; null where they can. Before anything is made: nobody shall
 * wait for a run to learn that there is nothing to look at.
 */
export function refusalOfKeep(when: KeepWhen, backend: Pick<ConfiguredBackend, 'name' | 'whyNotKept'>): string | null {
  if (when === 'never') return null;
  const why = backend.whyNotKept === undefined ? 'nobody can say how' : backend.whyNotKept();
  return why === null ? null : `--keep: a testbed of the backend ${backend.name} cannot be kept: ${why}`;
}

/** A testbed that stays, with the command that removes it. Pure. */
export function keptResult(
  kept: KeptTestbed,
  { id, trace }: Pick<Run, 'id' | 'trace'>,
  scratch: string | null = null,
): KeptResult {
  // In its own directory a run is known by its id.
  const remove = trace === null ? null : ['trundle', 'reap', basename(trace) === id ? id : trace];
  return { ...kept, scratch, remove };
}

/** What a person is told of a testbed that stays. Pure. */
export function linesOfKept({ testbed, enter, scratch, remove, resources }: KeptResult): string[] {
  const removals = remove === null ? resources.flatMap(({ release }) => (release === null ? [] : [release])) : [remove];
  return [
    `testbed ${testbed} is kept${scratch === null ? '' : `, with the tests' files in ${scratch}`}`,
    `  to get in:     ${typed(enter)}`,
    ...removals.toReversed().map((argv) => `  to remove it:  ${typed(argv)}`),
  ];
}

/** The same of one that does not stay although somebody asked for that. Pure. */
export function lineOfNotKept(testbed: string, why: string): string {
  return `testbed ${testbed} is not kept: ${why}`;
}
