import {
  abortSignal,
  above0,
  callback,
  checkBackend,
  checkOpen,
  flag,
  fromOne,
  hidden,
  isObject,
  type Kinds,
  kind,
  mustBe,
  mustHave,
  object,
  oneOf,
  orNull,
  path,
  text,
  texts,
  wholeNumber,
  writable,
} from '../testbed/index.ts';
import { UsageError } from './errors.ts';
import type { Terminal } from './output/terminal.ts';
import type { RunTestsOptions } from './runTests.ts';
import type { Timeouts } from './timeouts.ts';

const PLACE = 'runTests: options';
const seconds = above0('a number of seconds above 0');

const TIMEOUTS: Kinds<Timeouts> = { short: seconds, copy: seconds, install: seconds, test: seconds, build: seconds };
const TERMINAL: Kinds<Terminal> = { stdout: writable, stderr: writable };

const KINDS: Kinds<RunTestsOptions> = {
  source: kind('a string, or an array of strings', (value) => text.fits(value) || texts.fits(value)),
  // What it must have is looked at by itself.
  backend: object,
  terminal: object,
  outputDir: path,
  logFile: path,
  summaryFile: path,
  resultsFile: path,
  junitFile: path,
  annotations: flag,
  quiet: flag,
  trace: orNull(path),
  runId: text,
  env: hidden(kind('an array of NAME=VALUE', texts.fits)),
  lang: text,
  timeout: above0('a number of seconds above 0 (for no limit, leave it out)'),
  timeouts: object,
  timeoutFactor: above0('a number above 0'),
  user: text,
  // They may hold passwords.
  addAptSources: hidden(texts),
  launchpad: object,
  addAptReleases: texts,
  aptPockets: texts,
  pinPackages: texts,
  aptDefaultRelease: text,
  aptFallback: flag,
  aptUpgrade: flag,
  testArchitecture: text,
  builtBinaries: flag,
  gainRoot: text,
  parallel: fromOne,
  testbeds: fromOne,
  retries: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  testNames: texts,
  skipTests: texts,
  overrideControl: path,
  autoControl: flag,
  validate: flag,
  copy: texts,
  setupCommands: texts,
  setupCommandsBoot: texts,
  ignoreRestrictions: texts,
  internet: oneOf(true, false, 'try'),
  shell: oneOf('never', 'on-failure', 'always'),
  keep: oneOf('never', 'on-failure', 'always'),
  interactive: orNull(kind('a terminal', (value) => isObject(value) && callback.fits(value.acquire))),
  secrets: hidden(texts),
  testbed: object,
  signal: abortSignal,
  onRun: callback,
  commandLine: texts,
  program: text,
  clock: object,
  now: callback,
  log: callback,
};

/** What plain JavaScript handed to runTests(). @throws UsageError that names the option */
export function checkRunTests(options: unknown): void {
  const refuse = (message: string) => new UsageError(message);
  mustHave(PLACE, options, KINDS, refuse);
  const { source, backend, terminal, timeouts = {}, testbed = {} } = options as RunTestsOptions;
  mustBe(`${PLACE}.source`, source, KINDS.source, refuse);
  checkBackend(`${PLACE}.backend`, backend, refuse);
  mustBe(`${PLACE}.terminal`, terminal, object, refuse);
  for (const [name, of] of Object.entries(TERMINAL))
    mustBe(`${PLACE}.terminal.${name}`, terminal[name as keyof Terminal], of, refuse);
  mustHave(`${PLACE}.timeouts`, timeouts, TIMEOUTS, refuse);
  const unknown = Object.keys(timeouts).find((name) => !(name in TIMEOUTS));
  if (unknown !== undefined)
    throw new UsageError(`${PLACE}.timeouts: there is no "${unknown}"; there are ${Object.keys(TIMEOUTS).join(', ')}`);
  checkOpen(`${PLACE}.testbed`, testbed, refuse);
}
