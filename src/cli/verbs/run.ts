import { type Command, Option } from 'commander';
import type { RunTestsOptions } from '../../runner/index.ts';
import { unabbreviated } from '../abbreviations.ts';
import { withArgumentFiles } from '../argumentFiles.ts';
import type { Io } from '../Io.ts';
import { addKeepOption, explicitKeep, type KeepFlag } from '../keepOption.ts';
import { addPageOptions, type PageFlags, type PageOptions, pageOf } from '../pageOptions.ts';
import { parseWords, verbCommand } from '../parse.ts';
import { addSessionOptions, type SessionFlags, sessionOf } from '../sessionOptions.ts';
import {
  assignmentValue,
  collect,
  collectList,
  countValue,
  factorValue,
  secondsOrNoneValue,
  secondsValue,
  variableValue,
} from '../values.ts';
import { asksForBackendHelp, backendWords, halvesAsAutopkgtest, teachSeparator } from '../words.ts';

const EXAMPLE = 'examples/hello -- null';

/** `trundle run [options] SOURCE -- BACKEND [backend options]`. @returns the exit code, as autopkgtest's */
export async function run(words: readonly string[], io: Io): Promise<number> {
  const parts = halvesAsAutopkgtest(withArgumentFiles(words));
  if (asksForBackendHelp(parts.where)) {
    const { showBackend } = await import('../actions/backends.ts');
    return await showBackend(parts.where[0], io);
  }
  teachSeparator('run', parts, EXAMPLE);
  const settings = parseRun(parts.what);
  const where = backendWords('run', parts, EXAMPLE);
  const { testPackage } = await import('../actions/run.ts');
  return await testPackage(settings, { what: parts.what, where }, io);
}

/** What of a run's options comes from the words before `--`. */
export type TestFlags = Pick<
  RunTestsOptions,
  | 'source'
  | 'outputDir'
  | 'logFile'
  | 'summaryFile'
  | 'resultsFile'
  | 'junitFile'
  | 'annotations'
  | 'quiet'
  | 'env'
  | 'lang'
  | 'timeouts'
  | 'timeoutFactor'
  | 'user'
  | 'builtBinaries'
  | 'gainRoot'
  | 'addAptSources'
  | 'addAptReleases'
  | 'aptPockets'
  | 'pinPackages'
  | 'aptDefaultRelease'
  | 'aptFallback'
  | 'aptUpgrade'
  | 'testArchitecture'
  | 'parallel'
  | 'testbeds'
  | 'retries'
  | 'testNames'
  | 'skipTests'
  | 'ignoreRestrictions'
  | 'overrideControl'
  | 'autoControl'
  | 'validate'
  | 'internet'
  | 'shell'
  | 'keep'
  | 'copy'
  | 'setupCommands'
  | 'setupCommandsBoot'
  | 'timeout'
>;

/** The words before `--`, understood. */
export interface RunSettings {
  readonly tests: TestFlags;
  readonly session: SessionFlags;
  readonly page: PageFlags;
}

const HELP = `
What comes after -- names the backend, the kind of testbed, and its options:
  trundle run -- BACKEND --help    the options of a backend
  trundle backends                 the backends, and what this machine lacks

Exit status, as autopkgtest's: 0 all tests passed, 2 some were skipped or
flaky, 4 a test failed, 6 both, 8 no test said anything about the package, 12
the package is erroneous, 14 that and 2, 16 the testbed failed, 20 any other
failure; 129, 130, 131 and 143 where SIGHUP, SIGINT (Ctrl-C), SIGQUIT and
SIGTERM ended the run.

Examples:
  trundle run examples/hello -- null
  trundle run -o out --test-name smoke ./mypackage -- ssh -H build.example.org
  trundle run -o out --parallel 2 ./one ./two ./three -- podman debian:12`;

/** The verb's command line. */
export function runCommand(): Command {
  const command = verbCommand(
    'run',
    '[options] [SOURCE...] [DEB...] -- BACKEND [backend options]',
    'Tests a Debian package (DEP-8): opens a testbed, runs the tests of debian/tests/control in it, closes it again.\nSOURCE is a directory with a slash in its name, as ./hello; a .dsc or .changes file; the name of a source package for apt in the testbed; or a git URL, as https://example.org/hello#branch. Without one it is the current directory. Binary packages for the tests are built from it, or given as .deb files. Several sources are several packages, each with its own verdict. @FILE stands for the words in a file, one a line.',
  )
    .argument('[source...]')
    .optionsGroup('What to test:')
    .option('--test-name <name>', 'run only this test, or PACKAGE/TEST; may be given again', collect)
    .option('--skip-test <name>', 'leave this test out, or PACKAGE/TEST; may be given again', collect)
    .option('--ignore-restrictions <names>', 'run tests in spite of these restrictions, parted by commas', collectList)
    .addOption(
      new Option('--needs-internet <how>', 'run or skip tests that need the internet').choices(['run', 'try', 'skip']),
    )
    .option('-a, --test-architecture <arch>', "architecture of the packages under test (default: the testbed's)")
    .addOption(
      new Option('-B, --no-built-binaries', 'build no packages from the source for the tests').default(undefined),
    )
    .option('--override-control <file>', "read the tests' description from this file instead of debian/tests/control")
    .option('--no-auto-control', 'do not have autodep8 describe the tests of a package that does not')
    .option('-V, --validate', 'run no test: say whether the description of the tests is valid')
    .optionsGroup('What to keep:')
    .option('-o, --output-dir <dir>', 'write log, summary, artifacts and trace here; must be empty or not exist')
    .option('-l, --log-file <file>', 'write the log here instead of into the output directory')
    .option('--summary-file <file>', 'write the summary here instead of into the output directory')
    .addOption(new Option('--summary <file>').hideHelp())
    .option('--results <file>', 'write the results as JSON here instead of into the output directory')
    .option('--junit <file>', 'write the results as a JUnit report here')
    .addOption(
      new Option(
        '--annotations <for>',
        'print what did not pass as annotations (default: github, where it runs)',
      ).choices(['github', 'none']),
    )
    .option('-q, --quiet', 'print only what the tests print, and their results')
    .optionsGroup('What to do to the testbed first:')
    .option('--copy <from:to>', 'copy a file or directory of this machine into it; may be given again', collect)
    .option(
      '--setup-commands <commands>',
      'run these commands, or the file of them, in it; may be given again',
      collect,
    )
    .option('--setup-commands-boot <commands>', 'the same after those, and after every reboot', collect)
    .optionsGroup('How the tests run:')
    .option('--env <name=value>', 'set a variable for the tests; may be given again', assignmentValue)
    .option('--secret-env <name>', 'set a variable from the environment, and hide its value', variableValue)
    .option('--set-lang <lang>', 'set LANG for the tests (default: C.UTF-8)')
    .option('-u, --user <login>', 'run tests that do not need root as this user')
    .option('--gain-root <command>', 'gain root in builds with this instead of fakeroot')
    .option('--build-parallel <n>', 'set parallel=N in DEB_BUILD_OPTIONS', countValue)
    .option('--parallel <n>', 'run tests in up to N testbeds at once', countValue)
    .option('--retry-testbed <n>', 'replace a testbed that failed of itself up to N times', countValue)
    // Nothing of Trundle's has to be opened to everybody, so there is nothing that this could relax.
    .addOption(new Option('--insecure').hideHelp())
    .option('-s, --shell-fail', 'open a shell in the testbed after a failed test')
    .option('--shell', 'open a shell in the testbed after every test');
  addKeepOption(command)
    .optionsGroup('What apt of the testbed gets:')
    .option('-U, --apt-upgrade', 'bring the testbed up to date first')
    .option(
      '--add-apt-source <line>',
      '"deb http://MIRROR SUITE COMPONENT...", a .list or .sources file, or ppa:OWNER/NAME',
      collect,
    )
    .option('--add-apt-release <release>', 'have this release of the archive beside its own', collect)
    .option(
      '--apt-pocket <pocket>',
      'POCKET[=PACKAGE,src:SOURCE,...]: have RELEASE-POCKET, for these packages',
      collect,
    )
    .option('--pin-packages <pins>', 'RELEASE=PACKAGE,src:SOURCE,...: take these from another release', collect)
    .option('--apt-default-release <release>', 'the release of all that is not pinned')
    .addOption(
      new Option('--no-apt-fallback', 'keep pins also where dependencies cannot be had with them').default(undefined),
    )
    .optionsGroup('How long it may take:')
    .option('--timeout <seconds>', 'the whole run (default: 0, no limit)', secondsOrNoneValue)
    .option('--timeout-test <seconds>', 'one test (default: 10000)', secondsValue)
    .option('--timeout-short <seconds>', 'a short command in the testbed (default: 100)', secondsValue)
    .option('--timeout-copy <seconds>', 'copying files (default: 300)', secondsValue)
    .option('--timeout-install <seconds>', 'installing packages (default: 3000)', secondsValue)
    .option('--timeout-build <seconds>', 'building a package (default: 100000)', secondsValue)
    .option('--timeout-factor <factor>', 'multiply the defaults of these five by this', factorValue);
  addPageOptions(command, {
    place: 'beside the output or the trace',
    usual: 'on-failure with an output directory',
  });
  addSessionOptions(command, 'print every event as a line of JSON on stdout, and all else on stderr');
  return command.addHelpText('after', HELP);
}

interface Flags extends SessionFlags, PageOptions, KeepFlag {
  testName?: readonly string[];
  skipTest?: readonly string[];
  ignoreRestrictions?: readonly string[];
  needsInternet?: 'run' | 'try' | 'skip';
  overrideControl?: string;
  autoControl?: boolean;
  validate?: boolean;
  outputDir?: string;
  logFile?: string;
  summaryFile?: string;
  summary?: string;
  results?: string;
  junit?: string;
  annotations?: 'github' | 'none';
  quiet?: boolean;
  env?: readonly string[];
  setLang?: string;
  user?: string;
  builtBinaries?: boolean;
  addAptSource?: readonly string[];
  addAptRelease?: readonly string[];
  aptPocket?: readonly string[];
  pinPackages?: readonly string[];
  aptDefaultRelease?: string;
  aptFallback?: boolean;
  aptUpgrade?: boolean;
  testArchitecture?: string;
  gainRoot?: string;
  buildParallel?: number;
  parallel?: number;
  retryTestbed?: number;
  copy?: readonly string[];
  setupCommands?: readonly string[];
  setupCommandsBoot?: readonly string[];
  timeout?: number;
  shellFail?: boolean;
  shell?: boolean;
  timeoutTest?: number;
  timeoutShort?: number;
  timeoutCopy?: number;
  timeoutInstall?: number;
  timeoutBuild?: number;
  timeoutFactor?: number;
}

/** Reads the words before `--`. @throws UsageError, HelpShown */
export function parseRun(words: readonly string[]): RunSettings {
  const shape = runCommand();
  const command = parseWords(shape, explicitKeep(unabbreviated(words, shape), shape));
  const flags = command.opts<Flags>();
  return {
    tests: { source: sourceOf(command.args), ...testsOf(flags) },
    session: sessionOf(flags),
    page: pageOf(flags, flags.outputDir === undefined ? 'off' : 'on-failure'),
  };
}

function sourceOf(operands: readonly string[]): string | readonly string[] {
  const [only, ...more] = operands;
  return only === undefined || more.length > 0 ? operands : only;
}

const INTERNET = { run: true, try: 'try', skip: false } as const;

function testsOf(flags: Flags): Omit<TestFlags, 'source'> {
  return withoutUndefined({
    outputDir: flags.outputDir,
    logFile: flags.logFile,
    summaryFile: flags.summaryFile ?? flags.summary,
    resultsFile: flags.results,
    junitFile: flags.junit,
    annotations: flags.annotations === undefined ? undefined : flags.annotations === 'github',
    quiet: flags.quiet,
    env: flags.env,
    lang: flags.setLang,
    timeouts: withoutUndefined({
      test: flags.timeoutTest,
      short: flags.timeoutShort,
      copy: flags.timeoutCopy,
      install: flags.timeoutInstall,
      build: flags.timeoutBuild,
    }),
    timeoutFactor: flags.timeoutFactor,
    user: flags.user,
    builtBinaries: flags.builtBinaries === false ? false : undefined,
    gainRoot: flags.gainRoot,
    addAptSources: flags.addAptSource,
    addAptReleases: flags.addAptRelease,
    aptPockets: flags.aptPocket,
    pinPackages: flags.pinPackages,
    aptDefaultRelease: flags.aptDefaultRelease,
    aptFallback: flags.aptFallback === false ? false : undefined,
    aptUpgrade: flags.aptUpgrade,
    testArchitecture: flags.testArchitecture,
    parallel: flags.buildParallel,
    testbeds: flags.parallel,
    retries: flags.retryTestbed,
    testNames: flags.testName,
    skipTests: flags.skipTest,
    ignoreRestrictions: flags.ignoreRestrictions,
    overrideControl: flags.overrideControl,
    autoControl: flags.autoControl === false ? false : undefined,
    validate: flags.validate,
    internet: flags.needsInternet === undefined ? undefined : INTERNET[flags.needsInternet],
    copy: flags.copy,
    setupCommands: flags.setupCommands,
    setupCommandsBoot: flags.setupCommandsBoot,
    timeout: flags.timeout === 0 ? undefined : flags.timeout,
    keep: flags.keep,
    shell: flags.shell ? ('always' as const) : flags.shellFail ? ('on-failure' as const) : undefined,
  });
}

/** The same object without the keys that have no value: options that are not given must not be there. */
function withoutUndefined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
