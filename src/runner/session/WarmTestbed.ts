import type { Run, Testbed } from '../../testbed/index.ts';
import type { RunLog } from '../output/RunLog.ts';
import type { KeptTestbeds } from './KeptTestbeds.ts';
import { close } from './lodging.ts';
import type { Supply } from './testPackage.ts';

/** What a warm testbed needs. */
export interface WarmOptions {
  readonly run: Run;
  readonly signal: AbortSignal;
  readonly kept: KeptTestbeds;
  /** Whether another package will want a testbed. */
  readonly wanted: () => boolean;
  /** Whether a new testbed would be no fresher. */
  readonly lasting: boolean;
}

/**
 * Hands one testbed from package to package as long as nothing went wrong in it: put back to where it was where that can
 * be done, or as it is where a new one would be the same.
 */
export class WarmTestbed {
  readonly #options: WarmOptions;
  #warm: Testbed | null = null;

  constructor(options: WarmOptions) {
    this.#options = options;
  }

  /** For the package of this name. */
  supplyFor(name: string): Supply {
    const { run, signal, kept, wanted, lasting } = this.#options;
    return {
      take: async (fresh) => {
        const testbed = this.#warm;
        this.#warm = null;
        if (testbed === null) return await fresh();
        run.emit({ type: 'testbed.assigned', testbed: testbed.id, from: 'runner', package: name });
        if (lasting) return testbed;
        try {
          await testbed.revert({ signal });
          return testbed;
        } catch (error) {
          await testbed.close();
          throw error;
        }
      },
      giveBack: async (testbed, good, log) => {
        const free = good && !kept.staysAsItIs(testbed.id);
        const fresh = lasting || testbed.capabilities.includes('revert');
        if (free && fresh && wanted() && !signal.aborted) this.#warm = testbed;
        else await close(testbed, log, kept);
      },
    };
  }

  /** Closes the testbed that nobody came for. */
  async end(log: RunLog): Promise<void> {
    const testbed = this.#warm;
    this.#warm = null;
    if (testbed !== null) await close(testbed, log, this.#options.kept);
  }
}
