import type { Io } from '../Io.ts';
import { addKeepOption, explicitKeep, type KeepFlag } from '../keepOption.ts';
import { addPageOptions, type PageOptions } from '../pageOptions.ts';
import { parseWords, verbCommand } from '../parse.ts';
import { addSessionOptions, type SessionFlags } from '../sessionOptions.ts';
import { UsageError } from '../UsageError.ts';
import { assignmentValue, variableValue } from '../values.ts';
import { asksForBackendHelp, backendWords, halves, teachSeparator } from '../words.ts';

const EXAMPLE = '-- null';

const HELP = `
The testbed is removed when the shell ends, unless --keep is given. LINE, for
/bin/sh, runs instead of the login shell.

Exit status: the shell's own; 128+N where signal N ended it; 16 where the
testbed failed, 20 where Trundle did, each with the cause on stderr.

Examples:
  trundle shell -- null
  trundle shell -u tester 'top -b | less' -- ssh -H build.example.org`;

/** Options of the verb. */
export interface ShellFlags extends SessionFlags, PageOptions, KeepFlag {
  user?: string;
  cwd?: string;
  env?: readonly string[];
}

function shellCommand() {
  const command = verbCommand(
    'shell',
    '[options] [LINE] -- BACKEND [backend options]',
    'Opens a new testbed and an interactive shell in it.',
  )
    .argument('[line]')
    .optionsGroup('How the shell runs:')
    .option('-u, --user <login>', 'log in as this user')
    .option('--cwd <dir>', "start in this directory (default: the login's home)")
    .option('--env <name=value>', 'set a variable; may be given again', assignmentValue)
    .option('--secret-env <name>', 'set a variable from the environment, and hide its value', variableValue);
  addKeepOption(command);
  addPageOptions(command, { place: 'beside the trace', usual: 'off' });
  return addSessionOptions(
    command,
    'print one document when the shell has ended; the shell itself then uses stderr',
  ).addHelpText('after', HELP);
}

/** `trundle shell [options] [LINE] -- BACKEND [backend options]`. @returns the exit code */
export async function shell(words: readonly string[], io: Io): Promise<number> {
  const parts = halves(words);
  if (asksForBackendHelp(parts.where)) {
    const { showBackend } = await import('../actions/backends.ts');
    return await showBackend(parts.where[0], io);
  }
  teachSeparator('shell', parts, EXAMPLE);
  const shape = shellCommand();
  const command = parseWords(shape, explicitKeep(parts.what, shape));
  const flags = command.opts<ShellFlags>();
  const where = backendWords('shell', parts, EXAMPLE);
  const output = flags.json ? io.stderr : io.stdout;
  if (io.stdin.isTTY !== true || output.isTTY !== true) {
    throw new UsageError(
      'an interactive shell needs a terminal',
      "To run a command without one: trundle exec 'LINE' -- BACKEND",
    );
  }
  const { openShell } = await import('../actions/shell.ts');
  return await openShell(command.args[0], flags, where, io);
}
