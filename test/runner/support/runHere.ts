import { PassThrough } from 'node:stream';
import { type ConfiguredBackend, configureBackend } from '../../../src/backends/index.ts';
import { type RunReport, type RunTestsOptions, runTests } from '../../../src/runner/index.ts';

/** A run on this machine, with all that a person would have read. */
export interface RunHere {
  readonly report: RunReport;
  stdout(): string;
  stderr(): string;
}

/** Tests a package on the null backend, or on the one given in words. */
export async function runHere(
  options: Omit<RunTestsOptions, 'backend' | 'terminal'>,
  backend: readonly string[] | ConfiguredBackend = ['null'],
): Promise<RunHere> {
  const terminal = { stdout: new PassThrough(), stderr: new PassThrough() };
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    terminal[stream].on('data', (chunk: Buffer) => {
      said[stream] += chunk.toString();
    });
  }
  const report = await runTests({
    builtBinaries: false,
    ...options,
    terminal,
    backend: 'open' in backend ? backend : await configureBackend(backend),
  });
  return { report, stdout: () => said.stdout, stderr: () => said.stderr };
}
