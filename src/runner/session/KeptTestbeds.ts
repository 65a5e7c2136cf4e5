import {
  type KeepWhen,
  type KeptResult,
  type KeptTestbed,
  keptResult,
  linesOfKept,
  type Run,
} from '../../testbed/index.ts';
import type { RunLog } from '../output/RunLog.ts';

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
    this.#kept.push(keptResult(kept, this.#run, this.#scratch.get(kept.testbed)));
  }

  /** Tells a person of them. */
  tell(log: Pick<RunLog, 'info'>): void {
    for (const line of this.#kept.flatMap((kept) => linesOfKept(kept))) log.info(line);
  }
}
