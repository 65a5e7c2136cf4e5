import type { SourceControl } from '../control/sourceControl.ts';
import { parseTestControl, type TestDefinition } from '../control/testControl.ts';
import type { Preparation } from '../dependencies/DependencyInstaller.ts';
import { expandDepends, ownDependencies } from '../dependencies/expandDepends.ts';
import { addedPackages } from '../dependencies/installedPackages.ts';
import { type PlannedTest, planTests } from '../plan/planTests.ts';
import { type SourceTree, sourceControl } from '../source.ts';
import { type ControlChoice, findTestControl } from '../testControlFile.ts';
import type { Timeouts } from '../timeouts.ts';
import { type Helpers, inParallel, type Tester } from './inParallel.ts';
import { type InteractiveTerminal, interactiveShell } from './interactiveShell.ts';
import type { KeptTestbeds } from './KeptTestbeds.ts';
import type { LeftByTest } from './leftByTest.ts';
import { idInRun, runTest, type TestRunContext } from './runTest.ts';
import type { SetUpOptions } from './setUp.ts';
import type { TestbedSession } from './TestbedSession.ts';
import { testArgv, testEnvironment, testScript } from './testScript.ts';
import { judged, reportLine } from './verdict.ts';

/** What decides how a package's tests are run; see RunTestsOptions. */
export interface PackageOptions {
  readonly tree: SourceTree;
  readonly setup: SetUpOptions;
  /** What is under test, for whoever has to look for what is wrong. */
  readonly blame: () => readonly string[];
  readonly user: string | null;
  /** Milliseconds. */
  readonly timeouts: Timeouts;
  readonly env: readonly string[];
  readonly parallel: number | null;
  readonly only: readonly string[];
  readonly without: readonly string[];
  readonly ignoreRestrictions: readonly string[];
  readonly internet: boolean | 'try';
  /** Runs no test: tells what would be skipped, and that the description of the tests is valid (--validate). */
  readonly validate: boolean;
  readonly shell: 'never' | 'on-failure' | 'always';
  readonly interactive: InteractiveTerminal | null;
  readonly kept: KeptTestbeds;
  readonly evidence: () => readonly number[];
}

/** The tests a package has. @throws BadPackageError, StepError */
export async function readTests(
  tree: SourceTree,
  choice: ControlChoice,
): Promise<{ definitions: TestDefinition[]; control: SourceControl }> {
  const found = await findTestControl(tree, choice);
  const definitions = found === null ? [] : parseTestControl(found.text, found.file);
  return { definitions, control: sourceControl(tree) };
}

/** Runs one package's tests in one open testbed, one after the other; with helpers, in several. */
export class PackageTests {
  readonly #context: TestRunContext;
  readonly #options: PackageOptions;
  readonly #control: SourceControl;
  readonly #session: TestbedSession;
  /** Whether a test has run here. */
  #used = false;

  constructor(context: TestRunContext, options: PackageOptions, control: SourceControl, session: TestbedSession) {
    this.#context = context;
    this.#options = options;
    this.#control = control;
    this.#session = session;
  }

  /**
   * Plans, tells the plan, and runs.
   * @param first runs the tests here, or wherever they can be run when this testbed is no more
   * @throws BadPackageError, StepError, TestbedError
   */
  async run(definitions: readonly TestDefinition[], first: Tester, helpers: Helpers): Promise<void> {
    const { run, testbed, log } = this.#context;
    const { only, without, ignoreRestrictions, internet } = this.#options;
    const { testArchitecture: architecture, foreign } = this.#session;
    const plan = planTests(definitions, {
      capabilities: testbed.capabilities,
      internet: internet !== false,
      foreign: foreign !== null,
      ...{ architecture, only, without, ignoreRestrictions },
    });
    const of = this.#context.package === null ? {} : { package: this.#context.package };
    for (const planned of plan) {
      const { definition } = planned;
      const superficial = definition.restrictions.includes('superficial');
      run.emit({
        type: 'test.planned',
        testbed: null,
        from: 'runner',
        test: this.idOf(planned),
        ...of,
        restrictions: [...definition.restrictions],
        superficial,
        ...(internet === 'try' ? { internetUncertain: true } : {}),
      });
    }
    for (const planned of plan) {
      if (planned.skip !== null) await this.#skip(planned, 'skip', planned.skip);
    }
    if (this.#options.validate) return log.report('*', 'Test specification is valid');
    if (plan.length === 0) log.report('*', 'SKIP no tests in this package');
    const waiting = plan.filter(({ skip }) => skip === null);
    helpers.expect(waiting.map((planned) => this.idOf(planned)));
    await inParallel(waiting, { log, signal: this.#context.signal, first, helpers });
    log.summarize();
  }

  /** A test's id in the run. */
  idOf(planned: PlannedTest): string {
    return idInRun(this.#context, planned);
  }

  /** Runs one test, in a testbed put back to where it was if anything was done to it. @throws BadPackageError, StepError, TestbedError */
  async one(planned: PlannedTest): Promise<void> {
    const { testbed, log, signal } = this.#context;
    signal.throwIfAborted();
    if (log.failure) throw log.failure;
    log.info(`test ${planned.definition.name}: preparing testbed`);
    const stale = this.#used || this.#session.dirty;
    if (stale && testbed.capabilities.includes('revert')) {
      await this.#session.revert();
      this.#session.noteKernel(planned.definition.name, '');
    }
    this.#used = true;
    if (await this.#ready(planned)) await this.#test(planned);
  }

  /** Sees to what a test needs beyond its files; false where it was skipped for the lack of it. */
  async #ready(planned: PlannedTest): Promise<boolean> {
    const { log, output, signal } = this.#context;
    const { definition } = planned;
    const { testArchitecture: architecture, foreign } = this.#session;
    await this.#session.publish();
    const known = architecture === null ? null : ([definition, this.#control, architecture] as const);
    const depends = known && expandDepends(...known, foreign !== null);
    const own = known ? ownDependencies(...known) : [];
    const preparation = await this.#session.installer.prepare({ test: planned, depends, own }, signal);
    if (preparation.kind === 'badpkg') {
      await this.#refuse(planned, preparation);
      return false;
    }
    if (preparation.note !== undefined) log.warning(`test ${definition.name}: ${preparation.note}`);
    if (definition.restrictions.includes('needs-sudo') && !this.#options.ignoreRestrictions.includes('needs-sudo')) {
      const obstacle = await this.#session.workspace.maySudo();
      if (obstacle !== null) {
        await this.#skip(planned, 'skip', obstacle);
        return false;
      }
    }
    this.#session.workspace.mustHave(this.#options.tree, definition);
    const { base } = this.#session;
    if (output && base) {
      const installed = await this.#session.installed();
      if (installed) output.write(`${planned.id}-packages`, addedPackages(base, installed));
    }
    return true;
  }

  async #refuse(planned: PlannedTest, preparation: Preparation & { kind: 'badpkg' }): Promise<void> {
    const { log } = this.#context;
    if (planned.definition.restrictions.includes('skip-not-installable')) {
      log.info(`test ${planned.definition.name}: ${preparation.message}`);
      return this.#skip(planned, 'skip', 'installation fails and skip-not-installable set');
    }
    this.#options.kept.noteFailure(this.#context.testbed.id);
    if (this.#options.shell !== 'never') await this.#shell({ login: this.#session.workspace.admin, cwd: '/', env: {} });
    await this.#skip(planned, 'badpkg', preparation.message);
    log.finding(`blame: ${this.#options.blame().join(' ')}`);
    log.finding(`badpkg: ${preparation.message}`);
  }

  async #test(planned: PlannedTest): Promise<void> {
    const { definition, id } = planned;
    const { workspace } = this.#session;
    const paths = await this.#session.prepare(id, definition);
    const root = definition.restrictions.includes('needs-root');
    const cross = await this.#session.crossVariables();
    const environment = (mark: string | null) =>
      testEnvironment({
        paths,
        facts: workspace.facts,
        testArchitecture: this.#session.testArchitecture,
        cross,
        normalUser: root ? workspace.user : null,
        parallel: this.#options.parallel,
        mark,
        extra: this.#options.env,
      });
    const { reboots } = this.#session;
    const pidFile = reboots?.pidFile ?? null;
    const login = workspace.login(definition);
    this.#session.forgetInstalled();
    const { kept } = this.#options;
    let left: LeftByTest | null = null;
    const verdict = await runTest(this.#context, planned, {
      argv: (mark) =>
        testArgv(workspace.facts.shell, testScript(definition.program, paths, environment(mark), pidFile)),
      login,
      timeout: this.#options.timeouts.test,
      reboots,
      early: workspace.sweeps,
      lookAfter: async (script) => {
        // A shell is to find all as the test left it, and so is who gets into a testbed that stays.
        left = await workspace.lookAfter(paths, this.#options.shell === 'never' && !kept.any, script);
        return left;
      },
      onRebooted: (mark) => this.#session.noteKernel(definition.name, mark),
    });

    const { output, testbed } = this.#context;
    const { artifacts, tidy } = (left as LeftByTest | null) ?? { artifacts: false, tidy: false };
    if (output && artifacts) {
      const { special, unreadable } = await workspace.fetch(paths.artifacts, output.artifacts(id));
      this.#tellLeftOut(special, id, 'no device or socket leaves the testbed');
      this.#tellLeftOut(unreadable, id, 'the one who copies them may not read that');
    }
    const failed = verdict.outcome === 'fail' || verdict.outcome === 'flaky';
    if (this.#options.shell === 'always' || (this.#options.shell === 'on-failure' && failed)) {
      // Whoever looks for what is wrong may have to install something: as autopkgtest, no ordinary user's.
      await this.#shell({ login: workspace.admin, cwd: paths.tree, env: environment(null) });
    }
    if (failed) kept.noteFailure(testbed.id);
    if (!tidy && !kept.wants(testbed.id)) await workspace.tidy(paths);
  }

  async #skip(planned: PlannedTest, outcome: 'skip' | 'badpkg', reason: string): Promise<void> {
    const { run, clock, log } = this.#context;
    const tell = () =>
      run.emit({ type: 'test.skipped', testbed: null, from: 'runner', test: this.idOf(planned), outcome, reason });
    const verdict = await judged(run, clock, this.idOf(planned), tell);
    log.report(planned.definition.name, reportLine(verdict.outcome, verdict.reason, false));
  }

  #tellLeftOut(entries: readonly string[], id: string, why: string): void {
    if (entries.length === 0) return;
    const named = entries.slice(0, 5).map((entry) => JSON.stringify(entry));
    const more = entries.length > named.length ? ` and ${entries.length - named.length} more` : '';
    const { log } = this.#context;
    log.warning(`artifacts of ${id}: ${named.join(', ')}${more} left out, for ${why}`);
  }

  #shell(place: Parameters<typeof interactiveShell>[3]): Promise<void> {
    const { testbed, log, signal } = this.#context;
    return interactiveShell(testbed, this.#options.interactive, log, place, signal);
  }
}
