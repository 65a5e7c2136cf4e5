import type { Clock } from '../../../src/events/index.ts';
import { createHeader, createRecorder } from '../../../src/trace/index.ts';
import { ManualClock } from '../../support/ManualClock.ts';
import { scriptedRun } from '../../support/scriptedRun.ts';

/** Chunks of output of each command, and its events all in all. */
const CHUNKS = 90;
const EACH = CHUNKS + 12;

/** Records a whole run with about so many events, many of them of commands. @returns its directory */
export function bigTrace(directory: string, events: number): string {
  const still = new ManualClock();
  let at = 0;
  // Nobody waits for a deadline here, and each look at the clock finds it a little later.
  const clock: Clock = { now: () => (at += 0.7), after: (ms, callback) => still.after(ms, callback), clear: () => {} };
  const recorder = createRecorder({
    directory,
    header: createHeader({ run: 'big', trundle: '0.1.0', now: new Date(0) }),
    clock,
    onError: (error) => {
      throw error;
    },
  });
  scriptedRun({ recorder, clock, commands: Math.ceil(events / EACH) + 1, chunks: CHUNKS });
  recorder.close();
  return directory;
}
