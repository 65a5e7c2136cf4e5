import { expect, test } from 'vitest';
import { exitCodeOfCommand, isOwnEnd } from '../../../src/cli/live/endOfCommand.ts';
import type { CommandResult } from '../../../src/events/index.ts';
import type { CommandEnd } from '../../../src/testbed/index.ts';
import { cause } from '../../support/facts.ts';

const fine = { exitCode: 0, cause: null };

function end(result: CommandResult, because: CommandEnd['cause'] = null): CommandEnd {
  return { command: 'tb1.x1', result, leaked: false, cause: because };
}

test.each<[CommandResult, number]>([
  [{ kind: 'exited', status: 0 }, 0],
  [{ kind: 'exited', status: 255 }, 255],
  [{ kind: 'signalled', signal: 'KILL' }, 137],
  [{ kind: 'signalled', signal: 'SIGTERM' }, 143],
  [{ kind: 'timed-out', after: 1000 }, 124],
])('a command that ended by %j ends us with %d, without more words', (result, code) => {
  expect(exitCodeOfCommand(end(result), fine)).toBe(code);
  expect(isOwnEnd(end(result), fine)).toBe(true);
});

test.each<[CommandEnd | null, { exitCode: number; cause: null }, number]>([
  [end({ kind: 'exited', status: 0 }), { exitCode: 20, cause: null }, 20],
  [end({ kind: 'cancelled' }), { exitCode: 130, cause: null }, 130],
  [end({ kind: 'lost', how: 'reset' }, cause('connection-reset')), fine, 16],
  [end({ kind: 'refused', message: 'no' }), fine, 16],
  [end({ kind: 'exited', status: 0 }, cause('internal-error')), fine, 20],
  [null, { exitCode: 16, cause: null }, 16],
  [null, fine, 20],
])('%j in a run that ended with %j ends us with %d, and needs words', (command, run, code) => {
  expect(exitCodeOfCommand(command, run)).toBe(code);
  expect(isOwnEnd(command, run)).toBe(false);
});
