import { type Cause, exitCodeOf, type Phase } from '../events/index.ts';
import { TestbedError } from '../testbed/index.ts';
import { StepError } from './errors.ts';

const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** What an error says about a step of ours: its own cause where it has one, a full disk, or a fault of Trundle. Pure. */
export function causeOfError(error: unknown, phase: Phase, doing: string): { doing: string; cause: Cause } {
  if (error instanceof StepError) return { doing: error.doing, cause: error.cause };
  if (error instanceof TestbedError) return { doing: error.cause.doing, cause: error.cause };
  const { code, message } = error as NodeJS.ErrnoException;
  const full = code !== undefined && FULL.includes(code);
  return {
    doing,
    cause: {
      class: full ? 'host-disk-full' : 'internal-error',
      phase,
      doing,
      detail: message ?? String(error),
      evidence: [],
    },
  };
}

/** A cause in one line for the log and the summary: what it was, during what, and what was said. Pure. */
export function causeLine(cause: Cause): string {
  const line =
    `${cause.class.replaceAll('-', ' ')} while ${cause.doing}${cause.detail ? `: ${cause.detail}` : ''}`.replace(
      /\s*\n\s*/g,
      '; ',
    );
  return exitCodeOf(cause.class) === 16 ? `testbed failure: ${line}` : line;
}
