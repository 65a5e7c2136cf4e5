import type { Run, Testbed } from '../../testbed/index.ts';
import type { BuildOptions } from '../build/build.ts';
import type { SourceControl } from '../control/sourceControl.ts';
import type { TestDefinition } from '../control/testControl.ts';
import type { AptSetupOptions } from '../dependencies/aptSetupOptions.ts';
import { LocalRepository } from '../dependencies/LocalRepository.ts';
import type { OutputDirectory } from '../output/OutputDirectory.ts';
import type { PackagePart } from '../output/PackagePart.ts';
import { HEADING, type RunLog } from '../output/RunLog.ts';
import { type Choice, EVERY_TEST } from '../plan/chosenTests.ts';
import { planTests } from '../plan/planTests.ts';
import type { RunTestsOptions } from '../runTests.ts';
import type { SourceTree } from '../source.ts';
import { obtainTree, type TemporaryRooms, tellVersion } from '../sources/obtainTree.ts';
import { isTree, type Subject } from '../sources/Source.ts';
import type { TestControlFile } from '../testControlFile.ts';
import { timeoutsInMs } from '../timeouts.ts';
import type { EvidenceBook } from './EvidenceBook.ts';
import type { TestbedFacts } from './facts.ts';
import type { KeptTestbeds } from './KeptTestbeds.ts';
import { close, open, type Place, type Settled } from './lodging.ts';
import type { Outcomes } from './Outcomes.ts';
import { type PackageOptions, PackageTests, readTests } from './packageTests.ts';
import { Seat } from './Seat.ts';
import type { SetUpOptions } from './setUp.ts';
import type { OtherKernel, PlacedTree, TestbedSession } from './TestbedSession.ts';
import type { WholeRun } from './wholeRun.ts';

/** One package of a run, with everything checked and opened that can be before there is a run. */
export interface TreeRun {
  readonly options: RunTestsOptions;
  readonly subject: Subject;
  /** Which of its tests were asked for. */
  readonly choice: Choice;
  /** What is under test, for whoever has to look for what is wrong; grows as it is taken in hand. */
  readonly blame: string[];
  /** Kernels that tests met, other than that of the start. */
  readonly otherKernels: OtherKernel[];
  /** Directories for the length of the run. */
  readonly rooms: TemporaryRooms;
  /** What stands in for the package's own description of its tests. */
  readonly override: TestControlFile | null;
  readonly setup: SetUpOptions;
  readonly aptSetup: AptSetupOptions;
  readonly output: OutputDirectory | null;
  readonly log: RunLog;
  /** Its part of the log of a run of several packages; null where it is the only one. */
  readonly part: PackagePart | null;
  /** Takes secrets out of what the runner writes. */
  readonly hide: (text: string) => string;
}

/** Who takes note of what happens in a run. */
export interface Observers {
  readonly book: EvidenceBook;
  readonly outcomes: Outcomes;
  readonly kept: KeptTestbeds;
  readonly learn: (facts: TestbedFacts) => unknown;
}

/** Where the first testbed of a package comes from, and where it goes. */
export interface Supply {
  /** @param fresh opens a new one */
  take(fresh: () => Promise<Testbed>): Promise<Testbed>;
  /** @param good whether nothing went wrong in it */
  giveBack(testbed: Testbed, good: boolean, log: RunLog): Promise<void>;
}

/** Testbeds that are opened for one package and closed after it. */
export function freshSupply(kept: KeptTestbeds): Supply {
  return { take: (fresh) => fresh(), giveBack: (testbed, _good, log) => close(testbed, log, kept) };
}

/** A package as it is once its first testbed has it. */
interface Obtained {
  readonly tree: SourceTree;
  readonly control: SourceControl;
  readonly definitions: readonly TestDefinition[];
  readonly placed: PlacedTree | null;
}

/**
 * Tests one package: in one testbed, or in several at once.
 * @param testbeds how many
 * @throws BadPackageError, StepError, TestbedError
 */
export async function testPackage(
  treeRun: TreeRun,
  run: Run,
  { signal, late }: WholeRun,
  { book, outcomes, kept, learn }: Observers,
  { testbeds, supply }: { testbeds: number; supply: Supply },
): Promise<void> {
  const { subject, output, log, rooms } = treeRun;
  const { source } = subject;
  log.info(`${HEADING} ${source.kind} ${source.argument}`);
  const read = readerOf(treeRun, signal);
  if (isTree(source)) tellVersion(source, log, output);
  // Without control files that make sense nothing needs a testbed.
  const early = isTree(source) ? await read(source) : null;

  const repository = new LocalRepository(() => output?.directory('binaries') ?? rooms.make('binaries'));
  const place: Place = { treeRun, run, book, repository, kept, signal };
  let obtained: Obtained | null = null;
  const furnish = async (settled: Settled): Promise<PackageTests> => {
    const { context, how, session } = settled;
    learn(session.workspace.facts);
    if (obtained === null) obtained = await obtain(place, settled, early, read);
    else if (obtained.placed !== null) await session.place(obtained.placed);
    const { tree, control } = obtained;
    return new PackageTests(context, { ...how, tree }, control, session);
  };

  let good = false;
  const seat = new Seat({
    ...{ place, log, furnish, announce: true },
    open: () => supply.take(() => open(place, late)),
    giveBack: (testbed) => supply.giveBack(testbed, good, log),
  });
  try {
    await seat.take();
    const { definitions } = obtained as unknown as Obtained;
    const { only } = treeRun.choice;
    if (only.length > 0 && !definitions.some(({ name }) => only.includes(name))) {
      log.error(`${source.kind} ${source.argument} has no test matching --test-name ${only.join(', ')}`);
    }
    await seat.tests.run(definitions, seat, {
      count: testbeds - 1,
      expect: (tests) => outcomes.expect(tests),
      call: (voice, unwanted, work) => alongside(place, { late, unwanted, voice, furnish }, work),
    });
    good = true;
  } catch (error) {
    seat.noteFailure(error);
    throw error;
  } finally {
    await seat.leave();
  }
}

/** Reads the description of a tree's tests. */
function readerOf({ options, override }: TreeRun, signal: AbortSignal) {
  return (tree: SourceTree) =>
    readTests(tree, {
      override,
      auto: options.autoControl ?? true,
      timeout: timeoutsInMs(options.timeouts ?? {}, options.timeoutFactor ?? 1).short,
      signal,
    });
}

type Read = ReturnType<typeof readerOf>;

/** Brings the package into the first testbed, and builds it where that is asked for. */
async function obtain(
  { treeRun, repository }: Place,
  { how, session }: Settled,
  early: Awaited<ReturnType<Read>> | null,
  read: Read,
): Promise<Obtained> {
  const { options, subject, output, log, blame, rooms } = treeRun;
  const { source, debs } = subject;
  blame.length = 0;
  for (const { argument, file } of debs) {
    blame.push(`arg:${argument}`);
    const { steps, scratch } = session.workspace;
    blame.push(`deb:${await repository.register(steps, scratch, file)}`);
  }
  blame.push(source.argument);
  const tree = await obtainTree(session, source, {
    ...buildOptions(options),
    ...{ log, output, rooms },
    builtBinaries: wantsBinaries(options, subject),
    testsNeedBuild: async (unbuilt) => {
      if (how.validate) return false;
      const { definitions } = early ?? (await read(unbuilt));
      return needsBuild(definitions, session, how);
    },
  });
  const found = early !== null && tree === source ? early : await read(tree);
  return { tree, ...found, placed: session.placed };
}

/** Works in one more testbed, which has what the first one has, until it is no longer wanted. */
async function alongside(
  place: Place,
  given: {
    late: AbortSignal | null;
    unwanted: AbortSignal;
    voice: RunLog;
    furnish: (settled: Settled) => Promise<PackageTests>;
  },
  work: (seat: Seat) => Promise<void>,
): Promise<void> {
  const { late, unwanted, voice, furnish } = given;
  let begun = false;
  const openOne = async () => {
    if (begun) return await open(place, late);
    if (unwanted.aborted) throw unwanted.reason;
    // Once it is open, whoever works in it ends by himself.
    const opening = new AbortController();
    const giveUp = () => opening.abort(unwanted.reason);
    unwanted.addEventListener('abort', giveUp, { once: true });
    try {
      return await open(place, late === null ? opening.signal : AbortSignal.any([late, opening.signal]));
    } finally {
      unwanted.removeEventListener('abort', giveUp);
    }
  };
  const seat = new Seat({
    ...{ place, log: voice, announce: false },
    open: openOne,
    furnish: async (settled) => {
      if (!begun && unwanted.aborted) throw unwanted.reason;
      return await furnish(settled);
    },
  });
  try {
    await seat.take();
    begun = true;
    await work(seat);
  } catch (error) {
    if (!unwanted.aborted) seat.noteFailure(error);
    throw error;
  } finally {
    await seat.leave();
  }
}

/** Whether binaries are built for the tests: those of apt's sources are in its archive, and debs are there already. */
function wantsBinaries(
  { builtBinaries = true, validate = false }: RunTestsOptions,
  { source, debs }: Subject,
): boolean {
  return builtBinaries && !validate && source.kind !== 'apt-source' && debs.length === 0;
}

/** Whether a test that runs here needs a built tree. Which tests were asked for does not matter, as in autopkgtest. */
function needsBuild(
  definitions: readonly TestDefinition[],
  { capabilities, testArchitecture, foreign }: TestbedSession,
  { internet, ignoreRestrictions }: Pick<PackageOptions, 'internet' | 'ignoreRestrictions'>,
): boolean {
  const architecture = testArchitecture;
  return planTests(definitions, {
    capabilities,
    architecture,
    foreign: foreign !== null,
    internet: internet !== false,
    ignoreRestrictions,
    ...EVERY_TEST,
  }).some(({ skip, definition }) => skip === null && definition.restrictions.includes('build-needed'));
}

function buildOptions(options: RunTestsOptions): BuildOptions {
  const env = Object.fromEntries(
    (options.env ?? []).map((assignment) => {
      const equals = assignment.indexOf('=');
      return [assignment.slice(0, equals), assignment.slice(equals + 1)];
    }),
  );
  return { env, parallel: options.parallel ?? null, gainRoot: options.gainRoot ?? null };
}
