import { NO_QUESTIONS } from '../dependencies/Apt.ts';
import { BadPackageError, StepError } from '../errors.ts';
import { HEADING, type RunLog } from '../output/RunLog.ts';
import type { Steps } from './Steps.ts';

/** What is to be done to a testbed before it gets a package; see RunTestsOptions. */
export interface SetUpOptions {
  /** Files and directories of the host, and where they go in the testbed. */
  readonly copies: readonly { readonly from: string; readonly to: string; readonly directory: boolean }[];
  /** Scripts for sh, run once after the testbed was opened or put back. */
  readonly commands: readonly string[];
  /** Scripts for sh, run after that, and after every reboot. */
  readonly bootCommands: readonly string[];
}

/** Where it is done. */
export interface SetUpContext {
  readonly steps: Steps;
  readonly log: RunLog;
  /** The ordinary user of the tests; null where there is none. */
  readonly user: string | null;
  /** Sets up apt, once files are there and before commands are run; null where nothing is asked of it. */
  readonly apt: { prepare(): Promise<void>; upgrade(): Promise<void> } | null;
}

/** Exit status by which a command says that the package is to blame. */
const PACKAGE_IS_TO_BLAME = 100;

/** Copies files and runs the commands of --setup-commands. @throws BadPackageError, StepError, TestbedError */
export async function setUp(context: SetUpContext, { copies, commands }: SetUpOptions): Promise<void> {
  const { steps, log, user, apt } = context;
  if (copies.length === 0 && commands.length === 0 && apt === null) return;
  log.info(`${HEADING} test bed setup`);
  for (const { from, to, directory } of copies) {
    const doing = `making room for ${to}`;
    await steps.must({ doing, phase: 'copy', script: 'mkdir -p -- "$(dirname -- "$1")"', words: [to] });
    await (directory ? steps.copy('down', `${from}/`, `${to}/`) : steps.copy('down', from, to));
    const script = 'if [ -n "$2" ] && [ "$(id -u)" = 0 ]; then chown -R "$2" -- "$1"; fi';
    await steps.must({ doing: `giving ${to} to its user`, phase: 'copy', script, words: [to, user ?? ''] });
  }
  await apt?.prepare();
  await runAll(context, 'setup commands', commands, { AUTOPKGTEST_IS_SETUP_COMMAND: '1' });
  await apt?.upgrade();
}

/** Runs the commands of --setup-commands-boot. @throws BadPackageError, StepError, TestbedError */
export async function setUpBoot(context: SetUpContext, { bootCommands }: SetUpOptions): Promise<void> {
  await runAll(context, 'boot setup commands', bootCommands, { AUTOPKGTEST_IS_SETUP_BOOT_COMMAND: '1' });
}

async function runAll(
  { steps, user }: SetUpContext,
  what: string,
  commands: readonly string[],
  mark: Readonly<Record<string, string>>,
): Promise<void> {
  const users = user === null ? {} : { AUTOPKGTEST_NORMAL_USER: user, ADT_NORMAL_USER: user };
  for (const command of commands) {
    const doing = `running the ${what}`;
    const script = 'cd / && exec sh -ec "$1"';
    const env = { ...NO_QUESTIONS, ...mark, ...users };
    const shown = await steps.show({ doing, phase: 'provision', script, words: [command], limit: 'install', env });
    if (shown.status === 0) continue;
    const how = shown.status === null ? `on signal ${shown.signal}` : `with status ${shown.status}`;
    const detail = `testbed ${what} failed ${how}`;
    if (shown.status === PACKAGE_IS_TO_BLAME) throw new BadPackageError(detail);
    const { cause } = steps.failed(doing, 'provision', detail);
    throw new StepError(doing, { ...cause, class: 'setup-failed' });
  }
}
