import { constants } from 'node:os';
import { exitCodeOf } from '../../events/index.ts';
import type { CommandEnd, RunEnd } from '../../testbed/index.ts';

/** What timeout(1) exits with for a command that ran out of time. */
const TIMED_OUT = 124;

/**
 * The exit code for a command and for the run around it: the command's own status, 128+n where signal n ended it,
 * 124 where its time was up; but what failed of the testbed or of Trundle, or a signal to Trundle, goes before. Pure.
 */
export function exitCodeOfCommand(command: CommandEnd | null, run: Pick<RunEnd, 'exitCode' | 'cause'>): number {
  if (run.exitCode !== 0) return run.exitCode;
  if (command === null) return 20;
  if (command.cause !== null) return exitCodeOf(command.cause.class);
  switch (command.result.kind) {
    case 'exited':
      return command.result.status;
    case 'signalled':
      return 128 + (constants.signals[signalName(command.result.signal)] ?? 0);
    case 'timed-out':
      return TIMED_OUT;
    default:
      return 16;
  }
}

/** Whether the exit code is the command's own, so that nothing more needs to be said. Pure. */
export function isOwnEnd(command: CommandEnd | null, run: Pick<RunEnd, 'exitCode'>): boolean {
  return (
    run.exitCode === 0 &&
    command !== null &&
    command.cause === null &&
    ['exited', 'signalled', 'timed-out'].includes(command.result.kind)
  );
}

/** Whether a command ended by itself, and with exit status 0. Pure. */
export function wentWell({ result, cause }: CommandEnd): boolean {
  return cause === null && result.kind === 'exited' && result.status === 0;
}

function signalName(name: string): NodeJS.Signals {
  return (name.startsWith('SIG') ? name : `SIG${name}`) as NodeJS.Signals;
}
