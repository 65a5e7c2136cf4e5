import { hostname } from 'node:os';
import { systemClock, VERSION } from '../../events/index.ts';
import { createRun, type Run, type Testbed } from '../../testbed/index.ts';
import { BadPackageError } from '../errors.ts';
import { causeLine, causeOfError } from '../failures.ts';
import type { OutputDirectory } from '../output/OutputDirectory.ts';
import { dateAndTime, HEADING, type RunLog } from '../output/RunLog.ts';
import { shellWord, testInfoJson } from '../output/testInfo.ts';
import type { RunReport, RunTestsOptions, TestOutcome } from '../runTests.ts';
import { packageVersion, type SourceTree } from '../source.ts';
import type { TestControlFile } from '../testControlFile.ts';
import { timeoutsInMs } from '../timeouts.ts';
import { EvidenceBook } from './EvidenceBook.ts';
import type { TestbedFacts } from './facts.ts';
import { interactiveShell } from './interactiveShell.ts';
import { listenToAbort } from './operator.ts';
import { type PackageOptions, PackageTests, readTests } from './packageTests.ts';
import type { SetUpOptions } from './setUp.ts';
import { TestbedSession } from './TestbedSession.ts';
import { type WholeRun, wholeRun } from './wholeRun.ts';

/** A run of one tree's tests, with everything checked and opened that can be before there is a run. */
export interface TreeRun {
  readonly options: RunTestsOptions;
  readonly tree: SourceTree;
  /** What stands in for the package's own description of its tests. */
  readonly override: TestControlFile | null;
  readonly setup: SetUpOptions;
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
  const outcomes: TestOutcome[] = [];
  const book = new EvidenceBook();
  run.events$.subscribe((event) => {
    book.note(event);
    if (event.type === 'test.judged') outcomes.push({ test: event.test, outcome: event.outcome, reason: event.reason });
  });
  const stopListening = listenToAbort(run, options.signal);
  options.onRun?.(run);
  start(treeRun, run);

  const whole = wholeRun(run, options.clock ?? systemClock, options.timeout);
  let facts: TestbedFacts | null = null;
  const steps = [
    () => testPackage(treeRun, run, whole, book, (found) => (facts = found)),
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
  return { exitCode: end.exitCode, outcomes, cause: end.cause, trace: end.trace };
}

function start({ options, tree, log, now }: TreeRun, run: Run): void {
  log.info(`starting date and time: ${dateAndTime(now())}`);
  log.info(`version ${VERSION} (trundle)`);
  log.info(`host ${hostname()}; command line: ${(options.commandLine ?? []).map(shellWord).join(' ')}`);
  run.emit({
    type: 'run.started',
    testbed: null,
    from: 'runner',
    tests: options.validate !== true,
    trundle: VERSION,
    sources: [tree.argument],
    backend: [...options.backend.words],
  });
}

async function testPackage(
  treeRun: TreeRun,
  run: Run,
  { signal, late }: WholeRun,
  book: EvidenceBook,
  learn: (facts: TestbedFacts) => unknown,
): Promise<void> {
  const { options, tree, output, log, override } = treeRun;
  log.info(`${HEADING} ${tree.kind} ${tree.argument}`);
  const version = packageVersion(tree);
  if (version !== null) {
    log.info(`testing package ${version.name} version ${version.version}`);
    output?.write('testpkg-version', `${version.name} ${version.version}\n`);
  }
  const { definitions, control } = await readTests(tree, {
    override,
    auto: options.autoControl ?? true,
    timeout: timeoutsInMs(options.timeouts ?? {}, options.timeoutFactor ?? 1).short,
    signal,
  });
  const only = options.testNames ?? [];
  if (only.length > 0 && !definitions.some(({ name }) => only.includes(name))) {
    log.error(`${tree.kind} ${tree.argument} has no test matching --test-name ${only.join(', ')}`);
  }

  const testbed = await run.openTestbed(options.backend, {
    ...options.testbed,
    ...(late === null ? {} : { signal: late }),
  });
  try {
    const context = { run, testbed, clock: options.clock ?? systemClock, log, output, signal };
    const how = packageOptions(treeRun, book);
    const session = await TestbedSession.open({
      ...context,
      ...how,
      onSetUpFailure: async (place) => {
        if (how.shell !== 'never') await interactiveShell(testbed, how.interactive, log, place, signal);
      },
    });
    learn(session.workspace.facts);
    try {
      await session.place({ tree, place: 'tree' });
      await new PackageTests(context, how, control, session).run(definitions);
    } finally {
      await leave(session, log);
    }
  } finally {
    await close(testbed, log);
  }
}

function packageOptions({ options, tree, setup }: TreeRun, book: EvidenceBook): PackageOptions {
  return {
    tree,
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
    evidence: () => book.latest,
  };
}

/** Removes the scratch directory; what came of it must not hide what happened before. */
async function leave(session: TestbedSession, log: RunLog): Promise<void> {
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
function tellFailure({ tree, log }: TreeRun, run: Run, error: unknown): boolean {
  if (error instanceof BadPackageError) {
    run.emit({
      type: 'package.rejected',
      testbed: null,
      from: 'runner',
      message: error.message,
      file: error.file,
      line: error.line,
    });
    log.finding(`blame: ${tree.argument}`);
    log.finding(`badpkg: ${error.report}`);
    log.error(`erroneous package: ${error.report}`);
    log.conclusion(`erroneous package: ${error.report}`);
    return true;
  }
  const { doing, cause } = causeOfError(error, 'exec', 'running the tests');
  run.emit({ type: 'step.failed', testbed: null, from: 'runner', doing, cause });
  return false;
}
