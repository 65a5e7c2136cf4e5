import { hostname } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { systemClock, VERSION } from '../../events/index.ts';
import { createRun, type Run } from '../../testbed/index.ts';
import { BadPackageError } from '../errors.ts';
import { causeLine, causeOfError } from '../failures.ts';
import { dateAndTime, type RunLog } from '../output/RunLog.ts';
import { shellWord, type TestInfo, testInfoJson } from '../output/testInfo.ts';
import type { RunReport, RunTestsOptions } from '../runTests.ts';
import { EvidenceBook } from './EvidenceBook.ts';
import type { TestbedFacts } from './facts.ts';
import { KeptTestbeds } from './KeptTestbeds.ts';
import { Outcomes } from './Outcomes.ts';
import { listenToAbort } from './operator.ts';
import { inTurns } from './packagesInTurns.ts';
import { freshSupply, type Supply, type TreeRun, testPackage } from './testPackage.ts';
import { type WholeRun, wholeRun } from './wholeRun.ts';

/** A run of one package's tests, or of several packages'. */
export interface TreesRun {
  readonly options: RunTestsOptions;
  /** What is told of the run as a whole; for a single package also what is told of that. */
  readonly log: RunLog;
  readonly now: () => Date;
  /** The only package. */
  readonly single: TreeRun | null;
  /** Packages of a run that has several, in their order. */
  readonly several: readonly TreeRun[];
}

/** Makes the run, tests the packages in it, and concludes it. Throws nothing that happens in the run. */
export async function testTrees(treesRun: TreesRun): Promise<RunReport> {
  const { options, log, single, several } = treesRun;
  const clock = options.clock ?? systemClock;
  const run = createRun({
    trace: options.trace ?? null,
    ...(options.runId === undefined ? {} : { id: options.runId }),
    clock,
    ...(options.secrets === undefined ? {} : { secrets: options.secrets }),
    ...(options.log === undefined ? {} : { log: options.log }),
  });
  const outcomes = new Outcomes(several.map(({ subject }) => subject.name ?? ''));
  const book = new EvidenceBook();
  const kept = new KeptTestbeds(options.keep ?? 'never', run);
  // One backend for all testbeds of the run, and one kind of session.
  let server: TestInfo['server'] = null;
  run.events$.subscribe((event) => {
    book.note(event);
    outcomes.note(event);
    if (event.type === 'endpoint.announced') server = event.endpoint.server;
  });
  const stopListening = listenToAbort(run, options.signal);
  try {
    options.onRun?.(run);
  } catch (error) {
    // It is the caller's own fault; the trace still gets its end.
    stopListening();
    await run.close();
    throw error;
  }
  start(treesRun, run);

  const whole = wholeRun(run, clock, options.timeout);
  const test = (treeRun: TreeRun, testbeds: number, supply: Supply) =>
    testOne(treeRun, run, whole, { observers: { book, outcomes, kept }, server: () => server, testbeds, supply });
  const testbeds = options.testbeds ?? 1;
  let told = false;
  if (single !== null) told = await test(single, testbeds, freshSupply(kept));
  else await together(treesRun, run, () => inTurns(several, { run, whole, kept, log, testbeds, test }));
  whole.done();
  const end = await run.close();
  stopListening();
  const packages = outcomes.packages();
  told ||= packages.some((each) => [16, 20].includes(each.exitCode) && isDeepStrictEqual(each.cause, end.cause));
  if (end.cause !== null && !told && end.exitCode >= 16) {
    const line = causeLine(end.cause);
    log.error(line);
    log.conclusion(line);
  }
  kept.tell(log);
  const { exitCode, cause, trace } = end;
  return { exitCode, outcomes: outcomes.inOrder(), cause, trace, packages, kept: kept.all };
}

/** Tests several packages; what fails around them fails the run. */
async function together({ log }: TreesRun, run: Run, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    if (log.failure) throw log.failure;
  } catch (error) {
    const { doing, cause } = causeOfError(error, 'exec', 'running the tests');
    run.emit({ type: 'step.failed', testbed: null, from: 'runner', doing, cause });
  }
}

function start({ options, log, now, single, several }: TreesRun, run: Run): void {
  log.info(`starting date and time: ${dateAndTime(now())}`);
  log.info(`version ${VERSION} (trundle)`);
  log.info(`host ${hostname()}; command line: ${(options.commandLine ?? []).map(shellWord).join(' ')}`);
  const { testbeds = 1, retries = 0 } = options;
  run.emit({
    type: 'run.started',
    testbed: null,
    from: 'runner',
    tests: options.validate !== true,
    trundle: VERSION,
    sources: argumentsOf(single === null ? several : [single]),
    backend: [...options.backend.words],
    ...(retries === 0 ? {} : { retries }),
  });
  if (several.length > 0) log.info(`${several.length} packages, each with its own verdict`);
  if (testbeds > 1) log.info(`tests run in up to ${testbeds} testbeds at once`);
}

/** Debs that all packages have are told of once. */
function argumentsOf(packages: readonly TreeRun[]): string[] {
  const debs = packages.flatMap(({ subject }) => subject.debs.map(({ argument }) => argument));
  return [...new Set(debs), ...packages.map(({ subject }) => subject.source.argument)];
}

/** Tests one package and tells the run what went wrong. True where the reader knows all of that. */
async function testOne(
  treeRun: TreeRun,
  run: Run,
  whole: WholeRun,
  how: {
    observers: { book: EvidenceBook; outcomes: Outcomes; kept: KeptTestbeds };
    server: () => TestInfo['server'];
    testbeds: number;
    supply: Supply;
  },
): Promise<boolean> {
  const { options, output, log, hide } = treeRun;
  const { observers, server, ...where } = how;
  let facts: TestbedFacts | null = null;
  const learn = (found: TestbedFacts) => {
    facts = found;
  };
  const steps = [
    () => testPackage(treeRun, run, whole, { ...observers, learn }, where),
    () =>
      output?.write(
        'testinfo.json',
        testInfoJson({
          backend: options.backend.words,
          server: server(),
          facts,
          otherKernels: treeRun.otherKernels,
          environment: (options.env ?? []).map(hide),
        }),
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
  return told;
}

/** Tells the run, and for a bad package the reader, why it could not go on. True where the reader knows all. */
function tellFailure({ subject, blame, log }: TreeRun, run: Run, error: unknown): boolean {
  const of = subject.name === null ? {} : { package: subject.name };
  if (error instanceof BadPackageError) {
    run.emit({
      type: 'package.rejected',
      testbed: null,
      from: 'runner',
      message: error.message,
      file: error.file,
      line: error.line,
      ...of,
    });
    log.finding(`blame: ${(blame.length === 0 ? [subject.source.argument] : blame).join(' ')}`);
    log.finding(`badpkg: ${error.report}`);
    log.error(`erroneous package: ${error.report}`);
    log.conclusion(`erroneous package: ${error.report}`);
    return true;
  }
  const { doing, cause } = causeOfError(error, 'exec', 'running the tests');
  run.emit({ type: 'step.failed', testbed: null, from: 'runner', doing, cause, ...of });
  return false;
}
