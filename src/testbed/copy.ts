import { CopyError, copyDown, copyUp } from '../driver/index.ts';
import type { Cause, EventDraft } from '../events/index.ts';
import type { CopyOptions } from './contract.ts';
import type { Site } from './Site.ts';

/** Bytes between two events that tell how far a copy is. */
const STEP = 16 * 1024 * 1024;

/** Entries that stayed behind and are named in the event. */
const NAMED = 20;

/** One copy of a testbed's handle. */
export interface CopyJob {
  site: Site;
  append: (draft: EventDraft) => void;
  id: string;
  direction: 'down' | 'up';
  from: string;
  to: string;
  options: CopyOptions;
}

/** Copies, tells so in events, and gives the cause where it failed. */
export async function copy({ site, append, id, direction, from, to, options }: CopyJob): Promise<Cause | null> {
  const { testbed } = site;
  const { login, owners, readable, onProgress, onLeftOut } = options;
  // What is called back may throw: in the middle of a stream nobody would catch that.
  const thrown = new AbortController();
  const callback = (name: string, call: () => void) => {
    if (thrown.signal.aborted) return;
    try {
      call();
    } catch (error) {
      thrown.abort(new Error(`${name} threw: ${error instanceof Error ? error.message : String(error)}`));
    }
  };
  const callsBack = onProgress !== undefined || onLeftOut !== undefined;
  const signals = [options.signal, callsBack ? thrown.signal : undefined].filter((each) => each !== undefined);
  const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
  let bytes = 0;
  let told = 0;
  const leftOut: string[] = [];
  append({ type: 'copy.started', testbed, from: 'runner', copy: id, direction, source: from, target: to });
  const request = {
    from,
    to,
    ...(login === undefined ? {} : { login }),
    ...(owners === undefined ? {} : { owners }),
    ...(readable === undefined ? {} : { readable }),
    ...(signal === undefined ? {} : { signal }),
    ...(onLeftOut === undefined
      ? {}
      : {
          onLeftOut: (entry: string, why: 'special' | 'unreadable') => {
            if (leftOut.length < NAMED) leftOut.push(entry);
            callback('onLeftOut', () => onLeftOut(entry, why));
          },
        }),
    onBytes: (more: number) => {
      bytes += more;
      if (onProgress !== undefined) callback('onProgress', () => onProgress(bytes));
      if (bytes - told < STEP) return;
      told = bytes;
      append({ type: 'copy.progressed', testbed, from: 'runner', copy: id, bytes, total: null });
    },
  };
  const run = direction === 'down' ? copyDown : copyUp;
  try {
    await run((command, how) => site.commands.start(command, { ...how, record: false, copy: id }), request);
    // The last call may have been the one.
    if (thrown.signal.aborted) throw thrown.signal.reason;
    const lacking = leftOut.length === 0 ? {} : { leftOut };
    append({ type: 'copy.completed', testbed, from: 'runner', copy: id, bytes, ...lacking });
    return null;
  } catch (error) {
    const doing = `copying ${from} to ${to}`;
    const cause = signal?.aborted === true ? interrupted(signal, doing) : causeOfCopy(error, doing);
    append({ type: 'copy.failed', testbed, from: 'runner', copy: id, cause });
    return cause;
  }
}

function interrupted({ reason }: AbortSignal, doing: string): Cause {
  const detail = `it was called off: ${reason instanceof Error ? reason.message : String(reason)}`;
  return { class: 'operator-interrupted', phase: 'copy', doing, detail, evidence: [] };
}

function causeOfCopy(error: unknown, doing: string): Cause {
  if (error instanceof CopyError) {
    const { causeClass, failure, remote } = error;
    return remote ?? { class: causeClass, phase: 'copy', doing, detail: failure.message, evidence: [] };
  }
  const detail = error instanceof Error ? error.message : String(error);
  return { class: 'internal-error', phase: 'copy', doing, detail, evidence: [] };
}
