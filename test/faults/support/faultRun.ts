import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { ConfiguredBackend } from '../../../src/backends/contract.ts';
import { type RunReport, type RunTestsOptions, runTests } from '../../../src/runner/index.ts';
import type { Run } from '../../../src/testbed/index.ts';
import { EventLog } from '../../support/eventLog.ts';
import { makePackage, type PackagePlan } from '../../support/packages.ts';
import { workplace } from '../../support/workplace.ts';

/** A run of a small package, made to fail. */
export interface FaultRunOptions {
  readonly backend: ConfiguredBackend;
  readonly package: PackagePlan;
  /** Makes the fault happen, while the run goes on. */
  readonly during?: (log: EventLog, run: Run) => Promise<void>;
  readonly options?: Partial<RunTestsOptions>;
}

/** How the run ended, with all that it left. */
export interface FaultRun {
  readonly report: RunReport;
  readonly log: EventLog;
  readonly outputDir: string;
  readonly summary: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the package's tests, with a trace and an output directory, and the fault meanwhile. */
export async function faultRun(plan: FaultRunOptions): Promise<FaultRun> {
  const directory = workplace();
  const outputDir = join(directory, 'output');
  const terminal = { stdout: new PassThrough(), stderr: new PassThrough() };
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    terminal[stream].on('data', (chunk: Buffer) => {
      said[stream] += chunk.toString();
    });
  }
  let begun: (log: EventLog) => void;
  const beginning = new Promise<EventLog>((resolve) => {
    begun = resolve;
  });
  let fault: Promise<void> = Promise.resolve();
  const ended = runTests({
    source: makePackage(directory, plan.package),
    backend: plan.backend,
    terminal,
    outputDir,
    trace: join(directory, 'trace'),
    onRun: (run) => {
      const log = new EventLog(run.events$);
      fault = plan.during?.(log, run) ?? fault;
      begun(log);
    },
    ...plan.options,
  });
  // A run that is refused has no log; a fault that could not be made ends the wait for the run.
  const log = await Promise.race([beginning, ended.then(() => Promise.reject(new Error('there was no run')))]);
  const [report] = await log.during('the run', Promise.all([ended, fault]));
  const summary = join(outputDir, 'summary');
  return {
    report,
    log,
    outputDir,
    summary: existsSync(summary) ? readFileSync(summary, 'utf8') : '',
    ...said,
  };
}
