import { isEvent } from '../folds.ts';
import type { Trace } from '../readTrace.ts';
import { TraceError } from '../TraceError.ts';
import type { RecordedTestbed } from './contract.ts';
import { foldRecording } from './foldRecording.ts';

/** A testbed of a trace, or the testbeds that the trace has instead. What stands before damage is taken. */
export async function readRecording(
  trace: Trace,
  testbed: string,
): Promise<{ recorded: RecordedTestbed | null; others: readonly string[] }> {
  const recording = foldRecording(testbed);
  const others = new Set<string>();
  try {
    for await (const lines of trace.batches()) {
      for (const line of lines) {
        if (!isEvent(line)) {
          recording.decide(line);
          continue;
        }
        recording.see(line);
        if (line.testbed !== null) others.add(line.testbed);
      }
    }
  } catch (error) {
    if (!(error instanceof TraceError) || (error.place?.lastSeq ?? 0) === 0) throw error;
  }
  return { recorded: recording.result(), others: [...others] };
}
