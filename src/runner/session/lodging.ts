import { systemClock } from '../../events/index.ts';
import { lineOfNotKept, type Run, type Testbed } from '../../testbed/index.ts';
import { asksForApt } from '../dependencies/aptSetupOptions.ts';
import type { LocalRepository } from '../dependencies/LocalRepository.ts';
import type { RunLog } from '../output/RunLog.ts';
import { shellWord } from '../output/testInfo.ts';
import { timeoutsInMs } from '../timeouts.ts';
import type { EvidenceBook } from './EvidenceBook.ts';
import { interactiveShell } from './interactiveShell.ts';
import type { KeptTestbeds } from './KeptTestbeds.ts';
import type { PackageOptions } from './packageTests.ts';
import type { TestRunContext } from './runTest.ts';
import { type PlacedTree, TestbedSession } from './TestbedSession.ts';
import type { TreeRun } from './testPackage.ts';

/** What all testbeds of a package have in common. */
export interface Place {
  readonly treeRun: TreeRun;
  readonly run: Run;
  readonly book: EvidenceBook;
  readonly repository: LocalRepository;
  readonly kept: KeptTestbeds;
  readonly signal: AbortSignal;
}

/** A testbed with the runner in it. */
export interface Settled {
  readonly context: TestRunContext;
  readonly how: Omit<PackageOptions, 'tree'>;
  readonly session: TestbedSession;
}

/** Opens a testbed for the package. @throws TestbedError */
export function open({ treeRun: { options, subject }, run }: Place, signal: AbortSignal | null): Promise<Testbed> {
  return run.openTestbed(options.backend, {
    ...options.testbed,
    ...(signal === null ? {} : { signal }),
    ...(subject.name === null ? {} : { package: subject.name }),
  });
}

/** Moves in. @throws BadPackageError, StepError, TestbedError */
export async function settle(place: Place, testbed: Testbed, log: RunLog, announce: boolean): Promise<Settled> {
  const { treeRun, run, book, repository, kept, signal } = place;
  const { options, output, aptSetup, subject } = treeRun;
  const clock = options.clock ?? systemClock;
  const context = { run, testbed, clock, log, output, signal, package: subject.name };
  const how = { ...packageOptions(treeRun), kept, evidence: () => book.latestOf(testbed.id) };
  const session = await TestbedSession.open({
    ...context,
    ...how,
    ...{ repository, aptSetup, announce, ahead: aheadOf(treeRun) },
    onOtherKernel: (other) => treeRun.otherKernels.push(other),
    onSetUpFailure: async (where) => {
      if (how.shell !== 'never') await interactiveShell(testbed, how.interactive, log, where, signal);
    },
  });
  return { context, how, session };
}

/** The tree that is to be in the testbed whatever else is learnt of it, where nothing comes before it. */
function aheadOf({ subject: { source, debs }, setup, aptSetup }: TreeRun): PlacedTree | null {
  const nothingBefore = [debs, setup.copies, setup.commands, setup.bootCommands].every(({ length }) => length === 0);
  return source.kind === 'built-tree' && nothingBefore && !asksForApt(aptSetup) && aptSetup.architecture === null
    ? { tree: source, place: 'tree' }
    : null;
}

function packageOptions({
  options,
  choice,
  blame,
  setup,
}: TreeRun): Omit<PackageOptions, 'tree' | 'kept' | 'evidence'> {
  return {
    blame: () => blame,
    setup,
    user: options.user ?? null,
    timeouts: timeoutsInMs(options.timeouts ?? {}, options.timeoutFactor ?? 1),
    env: options.env ?? [],
    parallel: options.parallel ?? null,
    ...choice,
    ignoreRestrictions: options.ignoreRestrictions ?? [],
    internet: options.internet ?? true,
    validate: options.validate ?? false,
    shell: options.shell ?? 'never',
    interactive: options.interactive ?? null,
  };
}

/** Leaves a testbed that stays as it is, with all that the runner has in it. */
export async function leaveBehind(session: TestbedSession, testbed: string, kept: KeptTestbeds): Promise<void> {
  const { scratch } = session.workspace;
  if (await session.letGo()) kept.noteScratch(testbed, scratch);
}

/** Removes the scratch directory; what came of it must not hide what happened before. */
export async function leave(session: TestbedSession, log: RunLog): Promise<void> {
  await session.restore().catch((error: unknown) => {
    log.warning(`what was published to the testbed's apt could not be taken back: ${(error as Error).message}`);
  });
  if (!(await session.close())) log.warning(`the testbed did not say that ${session.workspace.scratch} is gone`);
}

/** Takes the testbed down, unless it is to stay, and tells what is left of it. */
export async function close(testbed: Testbed, log: RunLog, keptTestbeds: KeptTestbeds): Promise<void> {
  const { leftovers, kept, whyNotKept } = await testbed.close({ keep: keptTestbeds.wants(testbed.id) });
  if (kept !== null) keptTestbeds.add(kept);
  if (whyNotKept !== null) log.warning(lineOfNotKept(testbed.id, whyNotKept));
  for (const { kind, name, release } of leftovers) {
    log.warning(
      `${kind} ${name} could not be removed${release === null ? '' : `; this would: ${release.map(shellWord).join(' ')}`}`,
    );
  }
}
