import type { Io } from '../Io.ts';
import { parseWords, verbCommand } from '../parse.ts';

const HELP = `
TRACE is the directory of a trace, an output directory that holds one, or the
id of a run.

Exit status: 0 where the trace could be told, whatever became of the run; 20
where it could not, or where not all of it could be read.

Examples:
  trundle explain out
  trundle explain --last`;

/** `trundle explain [TRACE]`. @returns the exit code */
export async function explain(words: readonly string[], io: Io): Promise<number> {
  const command = parseWords(
    verbCommand('explain', '[options] [TRACE]', 'Tells in plain words how a run ended, and the events that prove it.')
      .argument('[trace]')
      .option('--last', 'the last run of this user on this machine')
      .option('--json', 'print one document')
      .addHelpText('after', HELP),
    words,
  );
  const { last = false, json = false } = command.opts<{ last?: boolean; json?: boolean }>();
  const { explainTrace } = await import('../actions/explain.ts');
  return await explainTrace(command.args[0], { last, json }, io);
}
