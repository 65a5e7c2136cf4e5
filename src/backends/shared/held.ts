import type { BackendHost } from '../contract.ts';
import { failureOfProgram, runProgram } from './runProgram.ts';

/** Something that was written to the trace before it was made. */
export interface Held {
  /** Its path: of a directory, or of a control group in the hierarchy of version 2. */
  readonly path: string;
  /** Removes it with all that is in it, and strikes it out of the trace. @throws BackendError `left-behind` */
  remove(signal: AbortSignal): Promise<void>;
  /** Strikes it out of the trace: it turned out that it was never made. */
  forget(): void;
}

/** Promises to remove something: the command `removal` does, now and in `trundle reap`; now also `otherwise`, if that fails. */
export function hold(
  host: BackendHost,
  { kind, path, what }: { kind: 'directory' | 'cgroup'; path: string; what: string },
  { removal, otherwise, remedy }: { removal: readonly string[]; otherwise: readonly string[] | null; remedy: string },
): Held {
  const struck = host.acquire({ kind, name: path, release: [...removal] });
  let gone = false;
  return {
    path,
    async remove(signal) {
      if (gone) return;
      const result = await runProgram(removal, { signal });
      const done =
        result.status === 0 || (otherwise !== null && (await runProgram(otherwise, { signal })).status === 0);
      if (!done)
        throw failureOfProgram(removal[0] ?? '', result, { code: 'left-behind', doing: `removing ${what}`, remedy });
      this.forget();
    },
    forget() {
      if (!gone) struck();
      gone = true;
    },
  };
}
