import path from 'node:path';
import type { Testbed } from '../../testbed/index.ts';
import {
  AWAIT_MARK,
  BOOT_STATE,
  CLEAR_PLACE,
  goOn,
  OFFER_TOOL,
  PREPARE_TOOL,
  prepareTool,
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

  /** Puts the programs by which tests ask into their places. @throws StepError, TestbedError */
  async offer(): Promise<void> {
    const { steps, scratch } = this.#options.workspace;
    const place = rebootPlace(scratch);
    const tools = [
      [REBOOT_TOOL, rebootTool(place)],
      [PREPARE_TOOL, prepareTool(place)],
    ] as const;
    for (const [tool, text] of tools) {
      const words = [`${scratch}/${path.posix.basename(tool)}`, text, tool];
      await steps.must({ doing: 'offering reboots to the tests', phase: 'provision', script: OFFER_TOOL, words });
    }
  }

  /** Forgets what an earlier test may have asked for. @throws StepError, TestbedError */
  async clear(): Promise<void> {
    const { steps, scratch } = this.#options.workspace;
    const { directory, prepare } = rebootPlace(scratch);
    const words = [directory, prepare];
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

  /**
   * The mark with which a test wants to go on that is about to reboot the testbed itself, and waits until it may.
   * @param signal ends the waiting, when no test runs any more: null
   */
  async whenPrepared(signal: AbortSignal): Promise<string | null> {
    const { testbed, workspace } = this.#options;
    const { steps, scratch } = workspace;
    const argv = ['sh', '-c', AWAIT_MARK, 'sh', rebootPlace(scratch).prepare];
    const running = testbed.start(argv, { login: steps.admin, signal });
    running.stderr.resume();
    let mark = '';
    for await (const chunk of running.stdout as AsyncIterable<Uint8Array>) mark += Buffer.from(chunk).toString();
    const { result } = await running.ended;
    return result.kind === 'exited' && result.status === 0 && mark !== '' ? mark : null;
  }

  /**
   * Reboots, with everything as it was afterwards.
   * @param who reboots: the runner, or the test, which was waiting for leave to
   * @throws StepError, TestbedError
   */
  async reboot(who: 'runner' | 'test' = 'runner'): Promise<void> {
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
    await workspace.outlast(stdout.trim(), () =>
      testbed.reboot({ signal, ...(who === 'test' ? { line: goOn(rebootPlace(scratch)) } : {}) }),
    );
    await this.offer();
    await afterBoot();
  }
}
