import { type Cause, classOfUnwritable, exitCodeOf, type Phase } from '../events/index.ts';
import { TestbedError } from '../testbed/index.ts';
import { StepError } from './errors.ts';

/** What an error says about a step of ours: its own cause where it has one, a file that could not be written, or a fault of Trundle. Pure. */
export function causeOfError(error: unknown, phase: Phase, doing: string): { doing: string; cause: Cause } {
  if (error instanceof StepError) return { doing: error.doing, cause: error.cause };
  if (error instanceof TestbedError) return { doing: error.cause.doing, cause: error.cause };
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  return {
    doing,
    cause: {
      class: syscall?.startsWith('spawn') ? 'internal-error' : classOfUnwritable(code ?? null),
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
