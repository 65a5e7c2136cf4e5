import type { TestProgram } from '../control/testControl.ts';
import type { TestbedFacts } from './facts.ts';

/** Where a test finds its things in the testbed. */
export interface TestPaths {
  readonly tree: string;
  readonly temporary: string;
  readonly artifacts: string;
}

/** What a test's environment is made of. */
export interface EnvironmentOptions {
  readonly paths: TestPaths;
  readonly facts: TestbedFacts;
  /** Architecture of the packages under test; null where nobody knows. */
  readonly testArchitecture: string | null;
  /** Variables of dpkg-architecture(1), where that is not the testbed's own. */
  readonly cross: Readonly<Record<string, string>>;
  /** An ordinary user that a test run as root may turn to. */
  readonly normalUser: string | null;
  /** N of DEB_BUILD_OPTIONS=parallel=N; the number of processors if null. */
  readonly parallel: number | null;
  /** With which a test goes on after a reboot; null where there was none. */
  readonly mark: string | null;
  /** `NAME=VALUE`, as given with --env; these win. */
  readonly extra: readonly string[];
}

/** The variables that DEP-8 and autopkgtest promise to a test, old names included. Pure. */
export function testEnvironment(options: EnvironmentOptions): Record<string, string> {
  const { paths, facts } = options;
  const parallel = options.parallel?.toString() ?? facts.processors;
  const environment: Record<string, string> = {
    AUTOPKGTEST_TMP: paths.temporary,
    ADTTMP: paths.temporary,
    AUTOPKGTEST_ARTIFACTS: paths.artifacts,
    ADT_ARTIFACTS: paths.artifacts,
    DEBIAN_FRONTEND: 'noninteractive',
    LANG: 'C.UTF-8',
    ...(parallel === null ? {} : { DEB_BUILD_OPTIONS: `parallel=${parallel}` }),
    ...(facts.architecture === null
      ? {}
      : {
          AUTOPKGTEST_TESTBED_ARCH: facts.architecture,
          AUTOPKGTEST_TEST_ARCH: options.testArchitecture ?? facts.architecture,
        }),
    ...options.cross,
    ...(options.normalUser === null
      ? {}
      : { AUTOPKGTEST_NORMAL_USER: options.normalUser, ADT_NORMAL_USER: options.normalUser }),
  };
  if (options.mark !== null) {
    environment.AUTOPKGTEST_REBOOT_MARK = options.mark;
    environment.ADT_REBOOT_MARK = options.mark;
  }
  for (const assignment of options.extra) {
    const equals = assignment.indexOf('=');
    environment[assignment.slice(0, equals)] = assignment.slice(equals + 1);
  }
  return environment;
}

/** Locale variables (locale(7)) that would override LANG. */
const LOCALE_VARIABLES = [
  'LANGUAGE',
  'LC_ALL',
  ...['ADDRESS', 'COLLATE', 'CTYPE', 'IDENTIFICATION', 'MEASUREMENT', 'MESSAGES', 'MONETARY', 'NAME'].map(
    (name) => `LC_${name}`,
  ),
  ...['NUMERIC', 'PAPER', 'TELEPHONE', 'TIME'].map((name) => `LC_${name}`),
];

/**
 * The command for a test's script. Where SSH_CLIENT is set, bash reads ~/.bashrc for a command too, as the login's shell has
 * done before; and as it starts, it complains of an LC_ALL that the testbed lacks: both would be on the test's stderr. Pure.
 */
export function testArgv(shell: TestbedFacts['shell'], script: string): string[] {
  return shell === 'bash' ? ['env', '-u', 'LC_ALL', 'bash', '--norc', '-c', script] : [shell, '-c', script];
}

/**
 * The shell script that turns into a test: it reads the system's and the user's profile, sets the environment,
 * goes to the tree and execs the test, so that the test's end is the script's end. With `pidFile`, its pid goes there. Pure.
 */
export function testScript(
  program: TestProgram,
  paths: TestPaths,
  environment: Readonly<Record<string, string>>,
  pidFile: string | null = null,
): string {
  const assignments = Object.entries(environment).map(
    ([name, value]) => [name, `export ${name}=${quote(value)}`] as const,
  );
  const ofLocale = ([name]: readonly [string, string]) => name === 'LANG' || LOCALE_VARIABLES.includes(name);
  return [
    USER,
    ...['/etc/profile', '~/.profile'].map((file) => `if [ -r ${file} ]; then . ${file} >/dev/null 2>&1; fi`),
    'set +e +u',
    // The login may have a locale that the testbed lacks: bash says so at each change, and the test's stderr begins here.
    `{ unset ${LOCALE_VARIABLES.join(' ')}`,
    ...assignments.filter(ofLocale).map(([, line]) => line),
    '} 2>/dev/null',
    ...assignments.filter((assignment) => !ofLocale(assignment)).map(([, line]) => line),
    ...(pidFile === null ? [] : [`echo $$ >${quote(pidFile)} || exit`]),
    `cd ${quote(paths.tree)} || exit`,
    program.kind === 'file'
      ? becoming(`${paths.tree}/${program.path}`)
      : `exec bash --norc -ec ${quote(program.command)}`,
  ].join('\n');
}

/** Each program that is started takes some milliseconds: bash knows the name of its user, at least since its version 5. */
const USER = `export USER
case \${BASH_VERSINFO:-0} in [0-4]) USER= ;; *) USER='\\u'; eval 'USER=\${USER@P}' ;; esac
case $USER in ''|*' '*) USER=$(id -nu 2>/dev/null) || USER=$LOGNAME ;; esac`;

/**
 * A program without a #! line is read by the shell that execs it: sh, as wherever else no other is named. It also tells what is
 * wrong with a program that cannot be run.
 */
function becoming(path: string): string {
  const program = quote(path);
  return `IFS= read -r trundle_line 2>/dev/null <${program} || :
case $trundle_line in
'#!'*)
  trundle_line=\${trundle_line#??}
  trundle_line=\${trundle_line#"\${trundle_line%%[! ]*}"}
  [ ! -x "\${trundle_line%%[[:blank:]]*}" ] || [ ! -x ${program} ] || exec ${program} ;;
esac
exec sh -c 'exec "$0"' ${program}`;
}

/** A string as one word for a POSIX shell. Pure. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
