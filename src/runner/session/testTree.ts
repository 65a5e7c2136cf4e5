import { hostname } from 'node:os';
import { systemClock, VERSION } from '../../events/index.ts';
import { createRun, type Run, type Testbed } from '../../testbed/index.ts';
import type { BuildOptions } from '../build/build.ts';
import type { TestDefinition } from '../control/testControl.ts';
import type { AptSetupOptions } from '../dependencies/aptSetupOptions.ts';
import { LocalRepository } from '../dependencies/LocalRepository.ts';
import { BadPackageError } from '../errors.ts';
import { causeLine, causeOfError } from '../failures.ts';
import type { OutputDirectory } from '../output/OutputDirectory.ts';
import { dateAndTime, HEADING, type RunLog } from '../output/RunLog.ts';
import { shellWord, testInfoJson } from '../output/testInfo.ts';
import { planTests } from '../plan/planTests.ts';
import type { RunReport, RunTestsOptions } from '../runTests.ts';
import type { SourceTree } from '../source.ts';
import { obtainTree, type TemporaryRooms, tellVersion } from '../sources/obtainTree.ts';
import { isTree, type Subject } from '../sources/Source.ts';
import type { TestControlFile } from '../testControlFile.ts';
import { timeoutsInMs } from '../timeouts.ts';
import { EvidenceBook } from './EvidenceBook.ts';
import type { TestbedFacts } from './facts.ts';
import { interactiveShell } from './interactiveShell.ts';
import { Outcomes } from './Outcomes.ts';
import { listenToAbort } from './operator.ts';
import { type PackageOptions, PackageTests, readTests } from './packageTests.ts';
import type { TestRunContext } from './runTest.ts';
import type { SetUpOptions } from './setUp.ts';
import { type PlacedTree, TestbedSession } from './TestbedSession.ts';
import { type WholeRun, wholeRun } from './wholeRun.ts';

/** A run of one package's tests, with everything checked and opened that can be before there is a run. */
export interface TreeRun {
  readonly options: RunTestsOptions;
  readonly subject: Subject;
  /** What is under test, for whoever has to look for what is wrong; grows as it is taken in hand. */
  readonly blame: string[];
  /** Directories for the length of the run. */
  readonly rooms: TemporaryRooms;
  /** What stands in for the package's own description of its tests. */
  readonly override: TestControlFile | null;
  readonly setup: SetUpOptions;
  readonly aptSetup: AptSetupOptions;
  readonly output: OutputDirectory | null;
  readonly log: RunLog;
  readonly now: () => Date;
  /** Takes secrets out of what the runner writes. */
  readonly hide: (text: string) => string;
}

/** Makes the run, tests the tree in it, and concludes it. Throws nothing that happens in the run. */
export async function testTree(treeRun: TreeRun): Promise<RunReport> {
  const { options, output, log, hide } = treeRun;
  const run = createRun({
    trace: options.trace ?? null,
    ...(options.runId === undefined ? {} : { id: options.runId }),
    clock: options.clock ?? systemClock,
    ...(options.secrets === undefined ? {} : { secrets: options.secrets }),
    ...(options.log === undefined ? {} : { log: options.log }),
  });
  const outcomes = new Outcomes();
  const book = new EvidenceBook();
  run.events$.subscribe((event) => {
    book.note(event);
    outcomes.note(event);
  });
  const stopListening = listenToAbort(run, options.signal);
  options.onRun?.(run);
  start(treeRun, run);

  const whole = wholeRun(run, options.clock ?? systemClock, options.timeout);
  let facts: TestbedFacts | null = null;
  const steps = [
    () => testPackage(treeRun, run, whole, { book, outcomes, learn: (found) => (facts = found) }),
    () =>
      output?.write(
        'testinfo.json',
        testInfoJson({ backend: options.backend.words, facts, environment: (options.env ?? []).map(hide) }),
      ),
    () => {
      if (log.failure) throw log.failure;
    },
  ];
  let told = false;
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      if (!whole.signal.aborted || error instanceof BadPackageError) told = tellFailure(treeRun, run, error) || told;
    }
  }
  whole.done();
  const end = await run.close();
  stopListening();
  if (end.cause !== null && !told && end.exitCode >= 16) {
    const line = causeLine(end.cause);
    log.error(line);
    log.conclusion(line);
  }
  return { exitCode: end.exitCode, outcomes: outcomes.inOrder(), cause: end.cause, trace: end.trace };
}

function start({ options, subject, log, now }: TreeRun, run: Run): void {
  log.info(`starting date and time: ${dateAndTime(now())}`);
  log.info(`version ${VERSION} (trundle)`);
  log.info(`host ${hostname()}; command line: ${(options.commandLine ?? []).map(shellWord).join(' ')}`);
  run.emit({
    type: 'run.started',
    testbed: null,
    from: 'runner',
    tests: options.validate !== true,
    trundle: VERSION,
    sources: [...subject.debs.map(({ argument }) => argument), subject.source.argument],
    backend: [...options.backend.words],
  });
}

async function testPackage(
  treeRun: TreeRun,
  run: Run,
  { signal, late }: WholeRun,
  { book, outcomes, learn }: Observers,
): Promise<void> {
  const { options, subject, output, log, override, blame, rooms } = treeRun;
  const { source } = subject;
  const testbeds = options.testbeds ?? 1;
  if (testbeds > 1) log.info(`tests run in up to ${testbeds} testbeds at once`);
  log.info(`${HEADING} ${source.kind} ${source.argument}`);
  const read = (tree: SourceTree) =>
    readTests(tree, {
      override,
      auto: options.autoControl ?? true,
      timeout: timeoutsInMs(options.timeouts ?? {}, options.timeoutFactor ?? 1).short,
      signal,
    });
  if (isTree(source)) tellVersion(source, log, output);
  // Without control files that make sense nothing needs a testbed.
  const early = isTree(source) ? await read(source) : null;

  const repository = new LocalRepository(() => output?.directory('binaries') ?? rooms.make('binaries'));
  const place = { treeRun, run, book, repository, signal };
  const testbed = await open(place, late);
  try {
    const { context, how, session } = await settle(place, testbed, log, true);
    learn(session.workspace.facts);
    try {
      for (const { argument, file } of subject.debs) {
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
      const { definitions, control } = early !== null && tree === source ? early : await read(tree);
      const only = options.testNames ?? [];
      if (only.length > 0 && !definitions.some(({ name }) => only.includes(name))) {
        log.error(`${source.kind} ${source.argument} has no test matching --test-name ${only.join(', ')}`);
      }
      await new PackageTests(context, { ...how, tree }, control, session).run(definitions, {
        count: testbeds - 1,
        expect: (tests) => outcomes.expect(tests),
        call: (voice, unwanted, work) =>
          alongside(place, { late, unwanted, voice, placed: session.placed }, (more) =>
            work(new PackageTests(more.context, { ...more.how, tree }, control, more.session)),
          ),
      });
    } finally {
      await leave(session, log);
    }
  } finally {
    await close(testbed, log);
  }
}

/** Who takes note of what happens in a run. */
interface Observers {
  readonly book: EvidenceBook;
  readonly outcomes: Outcomes;
  readonly learn: (facts: TestbedFacts) => unknown;
}

/** What all testbeds of a run have in common. */
interface Place {
  readonly treeRun: TreeRun;
  readonly run: Run;
  readonly book: EvidenceBook;
  readonly repository: LocalRepository;
  readonly signal: AbortSignal;
}

/** A testbed with the runner in it. */
interface Settled {
  readonly context: TestRunContext;
  readonly how: Omit<PackageOptions, 'tree'>;
  readonly session: TestbedSession;
}

function open({ treeRun: { options }, run }: Place, signal: AbortSignal | null): Promise<Testbed> {
  return run.openTestbed(options.backend, { ...options.testbed, ...(signal === null ? {} : { signal }) });
}

async function settle(place: Place, testbed: Testbed, log: RunLog, announce: boolean): Promise<Settled> {
  const { treeRun, run, book, repository, signal } = place;
  const { options, output, aptSetup } = treeRun;
  const context = { run, testbed, clock: options.clock ?? systemClock, log, output, signal };
  const how = { ...packageOptions(treeRun), evidence: () => book.latestOf(testbed.id) };
  const session = await TestbedSession.open({
    ...context,
    ...how,
    ...{ repository, aptSetup, announce },
    onSetUpFailure: async (where) => {
      if (how.shell !== 'never') await interactiveShell(testbed, how.interactive, log, where, signal);
    },
  });
  return { context, how, session };
}

/** Works in one more testbed, which has what the first one has, until it is no longer wanted. */
async function alongside(
  place: Place,
  given: { late: AbortSignal | null; unwanted: AbortSignal; voice: RunLog; placed: PlacedTree | null },
  work: (settled: Settled) => Promise<void>,
): Promise<void> {
  const { late, unwanted, voice, placed } = given;
  // Once it is open, whoever works in it ends by himself.
  const opening = new AbortController();
  const giveUp = () => opening.abort(unwanted.reason);
  unwanted.addEventListener('abort', giveUp, { once: true });
  if (unwanted.aborted) return;
  const testbed = await open(place, late === null ? opening.signal : AbortSignal.any([late, opening.signal]));
  unwanted.removeEventListener('abort', giveUp);
  try {
    if (unwanted.aborted) return;
    const settled = await settle(place, testbed, voice, false);
    try {
      if (placed !== null) await settled.session.place(placed);
      await work(settled);
    } finally {
      await leave(settled.session, voice);
    }
  } finally {
    await close(testbed, voice);
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
  { capabilities, workspace: { facts } }: TestbedSession,
  { internet, ignoreRestrictions }: Pick<PackageOptions, 'internet' | 'ignoreRestrictions'>,
): boolean {
  const { architecture } = facts;
  const all = { only: [], without: [] };
  return planTests(definitions, {
    capabilities,
    architecture,
    internet: internet !== false,
    ignoreRestrictions,
    ...all,
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

function packageOptions({ options, blame, setup }: TreeRun): Omit<PackageOptions, 'tree' | 'evidence'> {
  return {
    blame: () => blame,
    setup,
    user: options.user ?? null,
    timeouts: timeoutsInMs(options.timeouts ?? {}, options.timeoutFactor ?? 1),
    env: options.env ?? [],
    lang: options.lang ?? 'C.UTF-8',
    parallel: options.parallel ?? null,
    only: options.testNames ?? [],
    without: options.skipTests ?? [],
    ignoreRestrictions: options.ignoreRestrictions ?? [],
    internet: options.internet ?? true,
    validate: options.validate ?? false,
    shell: options.shell ?? 'never',
    interactive: options.interactive ?? null,
  };
}

/** Removes the scratch directory; what came of it must not hide what happened before. */
async function leave(session: TestbedSession, log: RunLog): Promise<void> {
  await session.restore().catch((error: unknown) => {
    log.warning(`what was published to the testbed's apt could not be taken back: ${(error as Error).message}`);
  });
  if (!(await session.close())) log.warning(`the testbed did not say that ${session.workspace.scratch} is gone`);
}

async function close(testbed: Testbed, log: RunLog): Promise<void> {
  const { leftovers } = await testbed.close();
  for (const { kind, name, release } of leftovers) {
    log.warning(
      `${kind} ${name} could not be removed${release === null ? '' : `; this would: ${release.map(shellWord).join(' ')}`}`,
    );
  }
}

/** Tells the run, and for a bad package the reader, why it could not go on. True where the reader knows all. */
function tellFailure({ subject, blame, log }: TreeRun, run: Run, error: unknown): boolean {
  if (error instanceof BadPackageError) {
    run.emit({
      type: 'package.rejected',
      testbed: null,
      from: 'runner',
      message: error.message,
      file: error.file,
      line: error.line,
    });
    log.finding(`blame: ${(blame.length === 0 ? [subject.source.argument] : blame).join(' ')}`);
    log.finding(`badpkg: ${error.report}`);
    log.error(`erroneous package: ${error.report}`);
    log.conclusion(`erroneous package: ${error.report}`);
    return true;
  }
  const { doing, cause } = causeOfError(error, 'exec', 'running the tests');
  run.emit({ type: 'step.failed', testbed: null, from: 'runner', doing, cause });
  return false;
}
