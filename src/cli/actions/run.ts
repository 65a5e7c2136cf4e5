import { ppaSecrets, type RunReport, runTests } from '../../runner/index.ts';
import { configureBackend, linesOfKept, type Run } from '../../testbed/index.ts';
import type { Io } from '../Io.ts';
import { endBlock, endLine } from '../live/endBlock.ts';
import { interactiveTerminal } from '../live/interactiveTerminal.ts';
import { LivePage } from '../live/LivePage.ts';
import { secretVariables } from '../live/secretVariables.ts';
import { openOptions } from '../live/session.ts';
import { type TraceHome, tidyRuns, traceHome, withRemedy } from '../live/traceHome.ts';
import { Watch } from '../live/Watch.ts';
import { writeReport } from '../live/writeReport.ts';
import type { RunSettings } from '../verbs/run.ts';

/** Exit codes of runs in which nothing failed. */
const GOOD = [0, 2, 8];

/** Tests a package on a backend. @returns the exit code, as autopkgtest's */
export async function testPackage(
  { tests, session, page }: RunSettings,
  words: { what: readonly string[]; where: readonly string[] },
  io: Io,
): Promise<number> {
  const { json = false, debug = false } = session;
  const { assignments, secrets: variables } = secretVariables(session.secretEnv, io.env);
  const secrets = [...variables, ...ppaSecrets(tests.addAptSources)];
  const backend = await configureBackend(words.where);
  const home = traceHome({ trace: session.trace, outputDir: tests.outputDir }, io.env);
  const told = tests.quiet !== true;
  const watch = await Watch.open(io, { debug, live: told, lines: told, secrets });
  const { screen } = watch;
  // A reader who leaves does not end the run: its files, its trace and its exit code are there for others.
  io.onOutputLost = () => {};
  let report: RunReport;
  let live: LivePage | null = null;
  try {
    report = await runTests({
      ...tests,
      annotations: tests.annotations ?? io.env.GITHUB_ACTIONS === 'true',
      env: [...(tests.env ?? []), ...assignments],
      secrets,
      backend,
      terminal: { stdout: json ? screen.stderr : screen.stdout, stderr: screen.stderr },
      trace: home.directory,
      runId: home.run,
      interactive: interactiveTerminal(io, watch, json ? io.stderr : io.stdout),
      testbed: openOptions(session),
      commandLine: ['trundle', 'run', ...words.what, '--', ...backend.words],
      ...(watch.log === null ? {} : { log: watch.log }),
      onRun: (run) => {
        watch.begin(run, home, { keeps: tests.keep === 'always' });
        if (page.inspect) live = LivePage.open(home, page, watch, io);
        if (json) printEvents(run, io);
      },
    });
  } catch (error) {
    watch.end();
    watch.release();
    throw withRemedy(error, home);
  }
  watch.end();
  // A testbed that stays is no news of the runner's own, which -q leaves out.
  if (!told) for (const line of report.kept.flatMap((kept) => linesOfKept(kept))) watch.say(line);
  if (report.exitCode !== 0 && report.exitCode !== 2) await tellEnd(report, home, watch);
  else if (told) watch.screen.stderr.write(endLine(home, io.stderr, watch.colors));
  await writeReport(page.report, !GOOD.includes(report.exitCode), { home, outputDir: tests.outputDir }, watch);
  watch.release();
  await (live as LivePage | null)?.end(report.cause?.class === 'operator-interrupted');
  await tidyRuns(io.env);
  return report.exitCode;
}

/** Each event as a line of JSON on stdout, as it comes. */
function printEvents(run: Run, io: Io): void {
  run.events$.subscribe((event) => {
    if (!io.stdout.destroyed) io.stdout.write(`${JSON.stringify(event)}\n`);
  });
}

async function tellEnd({ exitCode, cause }: RunReport, home: TraceHome, watch: Watch): Promise<void> {
  watch.screen.stderr.write(await endBlock({ exitCode, cause, home, settled: watch.settled }, watch.colors));
}
