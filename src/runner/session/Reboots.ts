import type { Testbed } from '../../testbed/index.ts';
import {
  BOOT_STATE,
  CLEAR_PLACE,
  OFFER_TOOL,
  REBOOT_TOOL,
  rebootPlace,
  rebootTool,
  SAVE_SCRATCH,
  TAKE_MARK,
} from './rebooting.ts';
import type { Workspace } from './Workspace.ts';

/** What reboots of a testbed in the middle of a test need. */
export interface RebootsOptions {
  readonly testbed: Testbed;
  readonly workspace: Workspace;
  readonly signal: AbortSignal;
  /** Does what is to be done after every boot. */
  readonly afterBoot: () => Promise<void>;
}

/** Lets tests have their testbed rebooted, with the scratch directory kept. */
export class Reboots {
  readonly #options: RebootsOptions;

  constructor(options: RebootsOptions) {
    this.#options = options;
  }

  /** Where a test has to write its pid before it begins. */
  get pidFile(): string {
    return rebootPlace(this.#options.workspace.scratch).pid;
  }

  /** What changes where the next boot will be another. */
  async bootState(): Promise<string> {
    const doing = 'looking for what affects the boot';
    const { stdout } = await this.#options.workspace.steps.must({ doing, phase: 'provision', script: BOOT_STATE });
    return stdout;
  }

  /** Puts the program by which tests ask into its place. @throws StepError, TestbedError */
  async offer(): Promise<void> {
    const { steps, scratch } = this.#options.workspace;
    const words = [`${scratch}/autopkgtest-reboot`, rebootTool(rebootPlace(scratch)), REBOOT_TOOL];
    await steps.must({ doing: 'offering reboots to the tests', phase: 'provision', script: OFFER_TOOL, words });
  }

  /** Forgets what an earlier test may have asked for. @throws StepError, TestbedError */
  async clear(): Promise<void> {
    const { steps, scratch } = this.#options.workspace;
    const words = [rebootPlace(scratch).directory];
    await steps.must({ doing: 'preparing for a reboot by the test', phase: 'exec', script: CLEAR_PLACE, words });
  }

  /** The mark with which a test that was killed wants to go on; null where it does not want to. */
  async takeMark(): Promise<string | null> {
    const { steps, scratch } = this.#options.workspace;
    const words = [rebootPlace(scratch).mark];
    const doing = 'asking whether the test wanted a reboot';
    const { status, stdout } = await steps.ask({ doing, phase: 'exec', script: TAKE_MARK, words });
    return status === 0 ? stdout : null;
  }

  /** Reboots, with everything as it was afterwards. @throws StepError, TestbedError */
  async reboot(): Promise<void> {
    const { testbed, workspace, signal, afterBoot } = this.#options;
    const { steps, scratch } = workspace;
    const doing = 'saving the scratch directory before a reboot';
    const { stdout } = await steps.must({
      doing,
      phase: 'reboot',
      script: SAVE_SCRATCH,
      words: [scratch],
      limit: 'copy',
    });
    await workspace.outlast(stdout.trim(), () => testbed.reboot({ signal }));
    await this.offer();
    await afterBoot();
  }
}
