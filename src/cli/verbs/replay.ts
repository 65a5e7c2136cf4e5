import { InvalidArgumentError } from 'commander';
import { DEADLINES, didYouMean } from '../../events/index.ts';
import type { Io } from '../Io.ts';
import { parseWords, verbCommand } from '../parse.ts';
import { UsageError } from '../UsageError.ts';
import { collect, secondsValue } from '../values.ts';

const HELP = `
TRACE is the directory of a trace, an output directory that holds one, the id of
a run, or a directory of traces. With several, each must come to the verdict it
has in the file expected.json beside it: {"NAME": {"exitCode": 4, "cause":
{"class": "test-failed", "phase": "exec"}}}; "exitCode": null for a trace
without an end. --update writes that file.

What if: --without, --insert and --deadline, each as often as needed, edit what
happened, and the verdict is told before and after. EVENT is the number of an
event, or a range as in 17-20. --insert takes JSON of the type and data, after
the number of the event that it follows.

To run a program on a recorded testbed: trundle run SOURCE -- replay TRACE.

Exit status: 0 where today's machines do the same, or the edited history comes
to the same verdict; 1 where not; 20 where a trace cannot be read.

Examples:
  trundle replay out
  trundle replay test/traces
  trundle replay out --without 84
  trundle replay out --insert '84:{"type":"guest.panicked","message":"oops"}'
  trundle replay out --deadline ssh-ready=120
  trundle replay --minimise --last
  trundle replay --minimise -o small out`;

/** What the options of the verb say. */
export interface ReplaySettings {
  last?: boolean;
  json?: boolean;
  update?: boolean;
  minimise?: boolean;
  output?: string;
  without?: readonly string[];
  insert?: readonly string[];
  deadline?: Readonly<Record<string, number>>;
}

/** `trundle replay [TRACE...]`. @returns the exit code */
export async function replay(words: readonly string[], io: Io): Promise<number> {
  const command = parseWords(
    verbCommand(
      'replay',
      '[options] [TRACE...]',
      "Gives a run's events to today's state machines, and proves that they take the same decisions to the same verdict, or names the first event where they do not. Or edits what happened, and tells how the verdict changes.",
    )
      .argument('[trace...]')
      .option('--last', 'the last run of this user on this machine')
      .option('--without <event>', 'as if this event had not happened', collect)
      .option('--insert <n:json>', 'as if this had happened after event N', collect)
      .option('--deadline <name=seconds>', 'as if this deadline had been so long', limitValue)
      .option('--minimise', 'the fewest events that still come to the same cause')
      .option('-o, --output <directory>', 'with --minimise: write them there, as a trace')
      .option('--update', 'write what is expected of several traces')
      .option('--json', 'print one document')
      .addHelpText('after', HELP),
    words,
  );
  const settings = command.opts<ReplaySettings>();
  const edited = [settings.without, settings.insert, settings.deadline].some((option) => option !== undefined);
  if (settings.output !== undefined && settings.minimise !== true)
    throw new UsageError('--output is for what --minimise finds');
  if (settings.minimise === true && edited) throw new UsageError('--minimise takes no edited history');
  if (edited || settings.minimise === true) {
    if (command.args.length > 1) throw new UsageError('a history is edited in one trace at a time');
    const { editTrace } = await import('../actions/editTrace.ts');
    return await editTrace(command.args[0], settings, io);
  }
  const { replayTraces } = await import('../actions/replay.ts');
  return await replayTraces(command.args, settings, io);
}

/** Reads `NAME=SECONDS` and adds it to what earlier options said. @throws InvalidArgumentError */
function limitValue(text: string, before: Readonly<Record<string, number>> = {}): Record<string, number> {
  const at = text.indexOf('=');
  const name = text.slice(0, at);
  const names = Object.keys(DEADLINES);
  if (at === -1 || !names.includes(name))
    throw new InvalidArgumentError(`Expected NAME=SECONDS.${didYouMean(name, names)} Names: ${names.join(', ')}.`);
  return { ...before, [name]: secondsValue(text.slice(at + 1)) * 1000 };
}
