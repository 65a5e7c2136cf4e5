import { type Cause, type Clock, systemClock, type TrundleEvent } from '../events/index.ts';
import {
  type ConfiguredBackend,
  hiding,
  type KeepWhen,
  type KeptResult,
  type OpenOptions,
  type Run,
  type RunOptions,
  refusalOfKeep,
} from '../testbed/index.ts';
import { aptSetupOptions, type ReadAptOptions } from './dependencies/aptSetupOptions.ts';
import { type LaunchpadServers, signedPpa } from './dependencies/ppa/Launchpad.ts';
import { ppaSecrets, type SignedPpa } from './dependencies/ppa/ppa.ts';
import { UsageError } from './errors.ts';
import { checkRunTests } from './givenRunTests.ts';
import { OutputDirectory, openSink, type Sink } from './output/OutputDirectory.ts';
import { PackagePart } from './output/PackagePart.ts';
import { RunLog, type RunLogOptions } from './output/RunLog.ts';
import type { Terminal } from './output/terminal.ts';
import { chosenTests, EVERY_TEST } from './plan/chosenTests.ts';
import { Reports } from './results/Reports.ts';
import type { InteractiveTerminal } from './session/interactiveShell.ts';
import type { TreeRun } from './session/testPackage.ts';
import { testTrees } from './session/testTrees.ts';
import { setUpOptions } from './setUpOptions.ts';
import { classifyArguments } from './sources/classify.ts';
import { TemporaryRooms } from './sources/obtainTree.ts';
import { packageNames } from './sources/packageNames.ts';
import type { Subject } from './sources/Source.ts';
import { dscFiles } from './sources/unpack.ts';
import { readOverride } from './testControlFile.ts';
import type { Timeouts } from './timeouts.ts';

/** What to test, where, and what to keep of it. Names in brackets are autopkgtest's options. */
export interface RunTestsOptions {
  /**
   * What to test, as on autopkgtest's command line: a directory with a slash in its name, a .dsc or .changes file, a git
   * URL or the name of a source package for apt; and .deb files. A list without a source takes the current directory;
   * several sources are several packages.
   */
  source: string | readonly string[];
  backend: ConfiguredBackend;
  /** Where a person reads along. Nothing is written anywhere else. */
  terminal: Terminal;
  /** Directory for results; must not exist or be empty (--output-dir). */
  outputDir?: string;
  /** File for the log instead of `log` in the output directory (--log-file). */
  logFile?: string;
  /** File for the summary instead of `summary` in the output directory (--summary). */
  summaryFile?: string;
  /** File for the results as JSON instead of `results.json` in the output directory. */
  resultsFile?: string;
  /** File for the results as a JUnit report. */
  junitFile?: string;
  /** Prints what did not pass as annotations of GitHub Actions. */
  annotations?: boolean;
  /** Keeps the runner's own lines from the terminal (--quiet). */
  quiet?: boolean;
  /** Directory for the trace; null keeps none (default). */
  trace?: string | null;
  /** Id of the run; made from random bytes if absent. */
  runId?: string;
  /** `NAME=VALUE` for the tests (--env). */
  env?: readonly string[];
  /** Value of LANG in the tests, whatever `env` says; `C.UTF-8` where neither says one (--set-lang). */
  lang?: string;
  /** Seconds for the whole run (--timeout); no limit if absent. */
  timeout?: number;
  /** Seconds by kind (--timeout-KIND), and what to multiply the defaults of the others with (--timeout-factor). */
  timeouts?: Partial<Timeouts>;
  timeoutFactor?: number;
  /** Ordinary user for tests that do not need root (--user). */
  user?: string;
  /** Lines for apt's sources, .list and .sources files, or `ppa:OWNER/NAME` (--add-apt-source). */
  addAptSources?: readonly string[];
  /** Another Launchpad for those PPAs than that of Canonical's; URLs without a slash at the end. */
  launchpad?: Partial<LaunchpadServers>;
  /** Releases of the archive that the testbed has, to be had beside it (--add-apt-release). */
  addAptReleases?: readonly string[];
  /** `POCKET[=PACKAGE,src:SOURCE,...]`: RELEASE-POCKET beside RELEASE, for all or these packages (--apt-pocket). */
  aptPockets?: readonly string[];
  /** `RELEASE=PACKAGE,src:SOURCE,...`: packages to be taken from another release (--pin-packages). */
  pinPackages?: readonly string[];
  /** The release of all that is not pinned (--apt-default-release). */
  aptDefaultRelease?: string;
  /** False keeps pins also where dependencies cannot be had with them (--no-apt-fallback). */
  aptFallback?: boolean;
  /** Brings the testbed up to date first (--apt-upgrade). */
  aptUpgrade?: boolean;
  /** Debian architecture of the packages under test; the testbed's own by default (--test-architecture). */
  testArchitecture?: string;
  /** False builds no binaries for the tests (--no-built-binaries); .deb files to test do the same. */
  builtBinaries?: boolean;
  /** Command to gain root in builds instead of fakeroot (--gain-root). */
  gainRoot?: string;
  /** N of DEB_BUILD_OPTIONS=parallel=N (--build-parallel). */
  parallel?: number;
  /** In how many testbeds of the same kind the tests run at once (--parallel); 1 by default. */
  testbeds?: number;
  /** How often, for each package, a testbed that failed of itself is replaced by another (--retry-testbed). */
  retries?: number;
  /** Only these tests (--test-name); all but these (--skip-test). `PACKAGE/TEST` speaks of one of several packages. */
  testNames?: readonly string[];
  skipTests?: readonly string[];
  /** A file to read the tests' description from, in place of debian/tests/control (--override-control). */
  overrideControl?: string;
  /** False keeps autodep8(1) from describing the tests of a package that does not (--no-auto-control). */
  autoControl?: boolean;
  /** Runs no test: tells what would be skipped, and whether the description of the tests is valid (--validate). */
  validate?: boolean;
  /** `HOSTPATH:TESTBEDPATH`: files and directories to copy into the testbed first (--copy). */
  copy?: readonly string[];
  /** Commands for sh, or files of them, to run in a testbed that was opened or put back (--setup-commands). */
  setupCommands?: readonly string[];
  /** The same, to run after those and after every reboot (--setup-commands-boot). */
  setupCommandsBoot?: readonly string[];
  /** Restrictions that must not lead to a skip (--ignore-restrictions). */
  ignoreRestrictions?: readonly string[];
  /** False skips tests that need the internet (--needs-internet=skip); `try` runs them, and skips those that fail. */
  internet?: boolean | 'try';
  /** A shell in the testbed after each test (--shell) or after failed ones (--shell-fail). */
  shell?: 'never' | 'on-failure' | 'always';
  /**
   * Leaves testbeds after the run: all (`always`), or those in which something went wrong (--keep). One in which a test
   * failed is left as that test left it, and the next test gets another.
   */
  keep?: KeepWhen;
  /** The terminal for that shell; null where there is none. */
  interactive?: InteractiveTerminal | null;
  /** Strings that must appear neither in the trace nor in what the runner itself writes and prints. */
  secrets?: readonly string[];
  /** Deadlines and connections of the testbed. */
  testbed?: Omit<OpenOptions, 'signal'>;
  /** Ends the run in order, as the operator's first signal does; a reason `SIGTERM` counts as that signal. */
  signal?: AbortSignal;
  /** Called with the run before anything happens in it: for its events, and for the operator's signals. */
  onRun?: (run: Run) => void;
  /** Words of the command line, for the log. */
  commandLine?: readonly string[];
  /** Word at the start of the log's lines; `autopkgtest` by default, which log readers look for. */
  program?: string;
  clock?: Clock;
  /** Wall-clock time. */
  now?: () => Date;
  /** Debug log; never for secrets. */
  log?: RunOptions['log'];
}

/**
 * How one test ended. `test` is its id: the name, or `NAME#2` where a package uses a name twice; in a run of several
 * packages `PACKAGE/NAME`.
 */
export interface TestOutcome {
  readonly test: string;
  readonly outcome: TrundleEvent<'test.judged'>['outcome'];
  readonly reason: string;
}

/** How one of several packages ended. */
export interface PackageOutcome {
  /** Its name in the output directory and before its tests' names. */
  readonly package: string;
  /** As if it had been tested alone. */
  readonly exitCode: number;
  readonly cause: Cause | null;
}

/** How a run of tests ended. */
export interface RunReport {
  /** autopkgtest(1), EXIT STATUS; 130 or 143 where SIGINT or SIGTERM ended the run. */
  readonly exitCode: number;
  /** In the order in which one testbed decides them: those that do not run, then the others as they stand. */
  readonly outcomes: readonly TestOutcome[];
  /** The packages of a run of several that were taken in hand, in their order; none where there is one only. */
  readonly packages: readonly PackageOutcome[];
  /** Why the run failed, where it did. */
  readonly cause: Cause | null;
  /** Testbeds that stay, because that was asked for. */
  readonly kept: readonly KeptResult[];
  /** Directory of the trace; null where none was kept. */
  readonly trace: string | null;
}

/**
 * Tests a package, or several: opens a testbed, runs the tests of debian/tests/control in it (DEP-8), and closes it again.
 * Whatever happens in the run is told by the report, not thrown.
 * @throws UsageError for options of another kind, for a source that cannot be tested and for an output directory that cannot be used
 */
export async function runTests(asked: RunTestsOptions): Promise<RunReport> {
  checkRunTests(asked);
  const options = {
    ...asked,
    env: assignments(asked),
    secrets: [...(asked.secrets ?? []), ...ppaSecrets(asked.addAptSources)],
  };
  const given = classifyArguments(typeof options.source === 'string' ? [options.source] : options.source);
  const names = packageNames(given.map(({ source }) => source));
  const choices = chosenTests(names, options);
  const chosen = given.flatMap((subject, index) => {
    const choice = choices[index] ?? null;
    return choice === null ? [] : [{ subject, choice }];
  });
  const subjects = chosen.map(({ subject }) => subject);
  for (const { source } of subjects) if (source.kind === 'source') dscFiles(source);
  checkEnvironment(options.env);
  checkTestbeds(options);
  const notKept = refusalOfKeep(options.keep ?? 'never', options.backend);
  if (notKept !== null) throw new UsageError(notKept);
  if (subjects.length > 1 && options.overrideControl !== undefined)
    throw new UsageError('--override-control describes the tests of one package, and there are several');
  const override = options.overrideControl === undefined ? null : readOverride(options.overrideControl);
  const setup = setUpOptions(options);
  const readApt = aptSetupOptions(options);
  const aptSetup = { ...readApt, ppas: options.validate ? [] : await signed(readApt, options) };
  const output = options.outputDir === undefined ? null : OutputDirectory.open(options.outputDir);
  const logFile = options.logFile ?? output?.file('log');
  const summaryFile = options.summaryFile ?? output?.file('summary');
  const hidden = hiding(options.secrets);
  const hide = (text: string) => hidden.text(text);
  const now = options.now ?? (() => new Date());
  const voice = { hide, program: options.program ?? 'autopkgtest', now, quiet: options.quiet ?? false };
  const log = new RunLog({
    ...voice,
    terminal: options.terminal,
    log: logFile === undefined ? null : openAsked('--log-file', logFile),
    summary: summaryFile === undefined ? null : openAsked('--summary-file', summaryFile),
  });
  const common = { override, setup, aptSetup, hide };
  const parts: Part[] = subjects.map((subject) =>
    subject.name === null ? { subject, output, log, part: null } : partOf(subject, subject.name, output, voice, log),
  );
  const resultsFile = options.resultsFile ?? output?.file('results.json');
  const reports = new Reports({
    packages: parts.map((each) => ({
      name: each.subject.name,
      source: each.subject.source.argument,
      output: each.output,
    })),
    results: resultsFile === undefined ? null : openAsked('--results', resultsFile),
    junit: options.junitFile === undefined ? null : openAsked('--junit', options.junitFile),
    annotations: options.annotations ?? false,
    terminal: options.terminal,
    log,
    now,
    hide: (results) => hidden.event(results),
  });
  const onRun = (run: Run) => {
    reports.follow(run);
    options.onRun?.(run);
  };
  const treeRuns: TreeRun[] = parts.map((each, index) => ({
    ...common,
    ...each,
    options: { ...options, onRun },
    choice: chosen[index]?.choice ?? EVERY_TEST,
    blame: [],
    otherKernels: [],
    rooms: new TemporaryRooms(each.output),
  }));
  const [only = null] = treeRuns;
  const several = given.length > 1;
  try {
    await reports.begin();
    return await reports.write(
      hidden.event(
        await testTrees({
          options: { ...options, onRun },
          ...{ log, now },
          single: several ? null : only,
          several: several ? treeRuns : [],
        }),
      ),
    );
  } finally {
    for (const { rooms, log: own } of treeRuns) {
      rooms.remove();
      own.close();
    }
    log.close();
  }
}

/** As autopkgtest: a language is one more assignment, the last, and none where it is empty. */
function assignments({ env = [], lang = '' }: Pick<RunTestsOptions, 'env' | 'lang'>): string[] {
  return lang === '' ? [...env] : [...env, `LANG=${lang}`];
}

/** Asks Launchpad before there is a run, so that a PPA that is none costs no testbed. @throws UsageError */
async function signed({ ppas, launchpad: servers }: ReadAptOptions, options: RunTestsOptions): Promise<SignedPpa[]> {
  const { clock = systemClock, signal = new AbortController().signal } = options;
  return await Promise.all(ppas.map((ppa) => signedPpa(ppa, { servers, clock, signal })));
}

type Part = Pick<TreeRun, 'subject' | 'output' | 'log' | 'part'>;

/** What one of several packages has of its own: a directory with its files, and its part of the log. */
function partOf(
  subject: Subject,
  name: string,
  whole: OutputDirectory | null,
  voice: Pick<RunLogOptions, 'hide' | 'program' | 'now' | 'quiet'>,
  log: RunLog,
): Part {
  const output = whole === null ? null : OutputDirectory.open(whole.file(name));
  const part = new PackagePart(name, log.entries);
  const own = new RunLog({
    ...voice,
    terminal: part,
    log: output === null ? null : openSink(output.file('log')),
    summary: output === null ? null : openSink(output.file('summary')),
  });
  return { subject, output, part, log: own };
}

/** @throws UsageError where the file cannot be written: said before there is a run */
function openAsked(option: string, file: string): Sink {
  try {
    return openSink(file);
  } catch (error) {
    throw new UsageError(`${option} "${file}" cannot be written: ${(error as Error).message}`);
  }
}

function checkTestbeds({ testbeds = 1, shell = 'never' }: RunTestsOptions): void {
  if (testbeds > 1 && shell !== 'never')
    throw new UsageError('--parallel and a shell for a person exclude each other: leave out --shell and --shell-fail');
}

function checkEnvironment(assignments: readonly string[]): void {
  for (const assignment of assignments) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*=/.test(assignment)) throw new UsageError(`--env ${assignment}: expected NAME=VALUE`);
  }
}
