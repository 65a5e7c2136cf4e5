import type { Io } from '../Io.ts';
import { parseWords, verbCommand } from '../parse.ts';

const HELP = `
TRACE is the directory of a trace, an output directory that holds one, or the
id of a run.

Exit status: 0 where today's machines do the same, 1 where they differ, 20
where the trace cannot be read.

Examples:
  trundle replay out
  trundle replay --last`;

/** `trundle replay [TRACE]`. @returns the exit code */
export async function replay(words: readonly string[], io: Io): Promise<number> {
  const command = parseWords(
    verbCommand(
      'replay',
      '[options] [TRACE]',
      "Gives a run's events to today's state machines, and proves that they take the same decisions to the same verdict, or names the first event where they do not.",
    )
      .argument('[trace]')
      .option('--last', 'the last run of this user on this machine')
      .option('--json', 'print one document')
      .addHelpText('after', HELP),
    words,
  );
  const { last = false, json = false } = command.opts<{ last?: boolean; json?: boolean }>();
  const { replayTrace } = await import('../actions/replay.ts');
  return await replayTrace(command.args[0], { last, json }, io);
}
