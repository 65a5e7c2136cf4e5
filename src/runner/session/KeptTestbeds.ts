import { basename } from 'node:path';
import type { KeptTestbed, Run } from '../../testbed/index.ts';
import type { RunLog } from '../output/RunLog.ts';
import { shellWord } from '../output/testInfo.ts';

/** When testbeds stay after the run (--keep). */
export type KeepWhen = 'never' | 'on-failure' | 'always';

/** A testbed that stays after the run, as in results.json. */
export interface KeptResult extends KeptTestbed {
  /** The scratch directory in it, with the tree and what the tests left; null where there is none. */
  readonly scratch: string | null;
  /** The command that removes it; null where no trace tells what that is: then those of its resources do. */
  readonly remove: readonly string[] | null;
}

/** Which testbeds of a run stay after it, and how a person gets into them. */
export class KeptTestbeds {
  readonly #when: KeepWhen;
  readonly #run: Pick<Run, 'id' | 'trace'>;
  readonly #kept: KeptResult[] = [];
  /** Those in which something went wrong. */
  readonly #failed = new Set<string>();
  readonly #scratch = new Map<string, string>();

  constructor(when: KeepWhen, run: Pick<Run, 'id' | 'trace'>) {
    this.#when = when;
    this.#run = run;
  }

  /** Those that stay, in the order in which they were left. */
  get all(): readonly KeptResult[] {
    return this.#kept;
  }

  /** Whether any may stay. */
  get any(): boolean {
    return this.#when !== 'never';
  }

  /** Something went wrong in a testbed that a person may want to look at. */
  noteFailure(testbed: string): void {
    this.#failed.add(testbed);
  }

  /** Whether a testbed is to stay, as things are. */
  wants(testbed: string): boolean {
    return this.#when === 'always' || this.staysAsItIs(testbed);
  }

  /** Whether a testbed is to stay as it is now: nothing more is done in it. */
  staysAsItIs(testbed: string): boolean {
    return this.#when !== 'never' && this.#failed.has(testbed);
  }

  /** The runner has let go of its directory in a testbed. */
  noteScratch(testbed: string, scratch: string): void {
    this.#scratch.set(testbed, scratch);
  }

  /** A testbed was left. */
  add(kept: KeptTestbed): void {
    const { id, trace } = this.#run;
    // In its own directory a run is known by its id.
    const remove = trace === null ? null : ['trundle', 'reap', basename(trace) === id ? id : trace];
    this.#kept.push({ ...kept, scratch: this.#scratch.get(kept.testbed) ?? null, remove });
  }

  /** Tells a person of them. */
  tell(log: Pick<RunLog, 'info'>): void {
    for (const line of this.#kept.flatMap(linesOfKept)) log.info(line);
  }
}

/** What a person is told of a testbed that stays. Pure. */
export function linesOfKept({ testbed, enter, scratch, remove, resources }: KeptResult): string[] {
  const removals = remove === null ? resources.flatMap(({ release }) => (release === null ? [] : [release])) : [remove];
  return [
    `testbed ${testbed} is kept${scratch === null ? '' : `, with the tests' files in ${scratch}`}`,
    `  to get in:     ${line(enter)}`,
    ...removals.toReversed().map((argv) => `  to remove it:  ${line(argv)}`),
  ];
}

function line(argv: readonly string[]): string {
  return argv.map(shellWord).join(' ');
}
