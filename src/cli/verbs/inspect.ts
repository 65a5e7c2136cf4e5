import type { Io } from '../Io.ts';
import { parseWords, verbCommand } from '../parse.ts';
import { UsageError } from '../UsageError.ts';
import { portValue } from '../values.ts';

const HELP = `
TRACE is the directory of a trace, an output directory that holds one, or the
id of a run. With two, the page shows where they part: a good one first.

The page is served on this machine only, at an address that nobody can guess,
until Ctrl-C. It loads nothing from any other place. A trace that is still
being written is followed.

Exit status: 0, or 20 where there is no such trace.

Examples:
  trundle inspect out
  trundle inspect --last
  trundle inspect out --export report.html
  trundle inspect good bad`;

/** Where the relay of @statelyai/inspect listens if nobody says otherwise. */
const RELAY = 'ws://localhost:8080';

/** `trundle inspect [TRACE] [TRACE]`. @returns the exit code */
export async function inspect(words: readonly string[], io: Io): Promise<number> {
  const command = parseWords(
    verbCommand('inspect', '[options] [TRACE] [TRACE]', 'Shows a run in the browser: machines, events, output, cause.')
      .argument('[trace...]')
      .option('--last', 'the last run of this user on this machine')
      .option('--export <file>', 'write the page with all that is in it to this file, and serve nothing')
      .option('--stately [url]', "send the run to a relay of Stately's inspector (default: ws://localhost:8080)")
      .option('--port <n>', 'serve on this port of the loopback interface (default: any free one)', portValue)
      .option('--no-open', 'only print the address, and open no browser')
      .addHelpText('after', HELP),
    words,
  );
  const flags = command.opts<{
    last?: boolean;
    export?: string;
    port?: number;
    open: boolean;
    stately?: string | true;
  }>();
  if (command.args.length > 2) throw new UsageError('one trace to look at, or two to compare, not more');
  const { inspectArguments } = await import('../actions/inspect.ts');
  return await inspectArguments(
    command.args,
    {
      last: flags.last ?? false,
      exportTo: flags.export ?? null,
      port: flags.port ?? 0,
      open: flags.open,
      stately: flags.stately === true ? RELAY : (flags.stately ?? null),
    },
    io,
  );
}
