import type { Io } from '../Io.ts';
import { parseWords, verbCommand } from '../parse.ts';

const HELP = `
Runs that still go are left alone, and so are testbeds that a run was told to
keep (--keep), unless the run is given. What cannot be removed is named, with
the command that would remove it. What a run left cannot be known once its
trace is deleted: it is told of at each reap until --forget strikes it from the
list.

Exit status: 0 where nothing is left, 1 where something is or may be, 20 where
a run is not known.

Examples:
  trundle reap
  trundle reap 3f9c2a71b0 out
  trundle reap --forget`;

/** `trundle reap [RUN|TRACE...]`. @returns the exit code */
export async function reap(words: readonly string[], io: Io): Promise<number> {
  const command = parseWords(
    verbCommand(
      'reap',
      '[options] [RUN|TRACE...]',
      'Finishes the teardown of runs that were killed, from their traces: of all runs of this user, or of the given ones.',
    )
      .argument('[run...]')
      .option('-d, --debug', 'log what is done on stderr')
      .option('--forget', 'strike runs whose trace is gone from the list')
      .option('--json', 'print one document')
      .addHelpText('after', HELP),
    words,
  );
  const {
    debug = false,
    forget = false,
    json = false,
  } = command.opts<{ debug?: boolean; forget?: boolean; json?: boolean }>();
  const { reapRuns } = await import('../actions/reap.ts');
  return await reapRuns(command.args, { debug, forget, json }, io);
}
