import type { Io } from '../Io.ts';
import { addKeepOption, explicitKeep, type KeepFlag } from '../keepOption.ts';
import { addPageOptions, type PageOptions } from '../pageOptions.ts';
import { parseWords, verbCommand } from '../parse.ts';
import { addSessionOptions, type SessionFlags } from '../sessionOptions.ts';
import { UsageError } from '../UsageError.ts';
import { assignmentValue, secondsValue, variableValue } from '../values.ts';
import { asksForBackendHelp, backendWords, halves, teachSeparator } from '../words.ts';

const EXAMPLE = "'uname -a' -- null";

const HELP = `
One word is a line for /bin/sh; several are a program and its arguments, which
get there exactly as they are. The last -- parts them from the backend. The
command reads this program's standard input, and its output comes out here.

Exit status: the command's own; 128+N where signal N ended it; 124 where
--timeout did; 16 where the testbed failed, 20 where Trundle did, each with the
cause on stderr, which a command's own 16 or 20 does not have.

Examples:
  trundle exec 'ls -l | wc -l' -- null
  trundle exec -u tester dpkg --list -- ssh -H build.example.org`;

/** Options of the verb. */
export interface ExecFlags extends SessionFlags, PageOptions, KeepFlag {
  user?: string;
  cwd?: string;
  env?: readonly string[];
  timeout?: number;
  stdin?: boolean;
}

function execCommand() {
  const command = verbCommand(
    'exec',
    '[options] COMMAND [ARGUMENT...] -- BACKEND [backend options]',
    'Runs one command in a new testbed.',
  )
    .argument('[command...]')
    .passThroughOptions()
    .optionsGroup('How the command runs:')
    .option('-u, --user <login>', 'run it as this user')
    .option('--cwd <dir>', "run it in this directory (default: the login's home)")
    .option('--env <name=value>', 'set a variable; may be given again', assignmentValue)
    .option('--secret-env <name>', 'set a variable from the environment, and hide its value', variableValue)
    .option('--timeout <seconds>', 'end its process group after so many seconds', secondsValue)
    .option('-n, --no-stdin', 'give it no standard input');
  addKeepOption(command);
  addPageOptions(command, { place: 'beside the trace', usual: 'off' });
  return addSessionOptions(command, 'print one document: how the command ended, and what it printed').addHelpText(
    'after',
    HELP,
  );
}

/** `trundle exec [options] COMMAND [ARGUMENT...] -- BACKEND [backend options]`. @returns the exit code */
export async function exec(words: readonly string[], io: Io): Promise<number> {
  const parts = halves(words, 'last');
  if (asksForBackendHelp(parts.where)) {
    const { showBackend } = await import('../actions/backends.ts');
    return await showBackend(parts.where[0], io);
  }
  teachSeparator('exec', parts, EXAMPLE);
  const shape = execCommand();
  const command = parseWords(shape, explicitKeep(parts.what, shape, { commands: true }));
  const [first, ...rest] = command.args;
  if (first === undefined) throw new UsageError('no command is given before `--`', `as in: trundle exec ${EXAMPLE}`);
  const flags = command.opts<ExecFlags>();
  const line = rest.length === 0 ? first : [first, ...rest];
  const where = backendWords('exec', parts, EXAMPLE);
  const { runCommand } = await import('../actions/exec.ts');
  return await runCommand(line, flags, where, io);
}
