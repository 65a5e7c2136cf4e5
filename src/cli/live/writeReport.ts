import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReportWhen } from '../pageOptions.ts';
import type { TraceHome } from './traceHome.ts';
import type { Watch } from './Watch.ts';

/**
 * Writes a run as a page of its own, `report.html`, into the output directory, or else beside the trace. That it
 * cannot be written changes nothing about the run's end.
 */
export async function writeReport(
  when: ReportWhen,
  failed: boolean,
  { home, outputDir }: { home: TraceHome; outputDir: string | undefined },
  watch: Watch,
): Promise<void> {
  if (when === 'off' || (when === 'on-failure' && !failed)) return;
  const file = join(outputDir ?? home.directory, 'report.html');
  try {
    const { exportReport } = await import('../../inspector/index.ts');
    writeFileSync(file, await exportReport([home.directory]), { mode: outputDir === undefined ? 0o600 : 0o666 });
    watch.say(`the report is in ${file}`);
  } catch (error) {
    watch.say(`no report could be written to ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
