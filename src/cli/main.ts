import { didYouMean, VERSION } from '../events/index.ts';
import { Io } from './Io.ts';
import { heedNohup } from './live/endingSignals.ts';
import { HelpShown } from './parse.ts';
import { USAGE_EXIT_CODE, UsageError } from './UsageError.ts';
import { helpText, VERBS } from './verbTable.ts';

/** The command line: finds the verb, runs it, and ends the process with its exit code. */
export async function main(words: readonly string[]): Promise<never> {
  const io = new Io(process);
  heedNohup(io.env);
  return await io.leave(await exitCodeOf(words, io));
}

async function exitCodeOf(words: readonly string[], io: Io): Promise<number> {
  const [first, second] = words;
  // As with git: `trundle help run` is `trundle run --help`.
  const [name, ...rest] = first === 'help' && second !== undefined ? [second, '--help'] : words;
  if (name === '--version' || name === '-V') {
    io.stdout.write(`${VERSION}\n`);
    return 0;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    io.stdout.write(helpText());
    return 0;
  }
  if (name === undefined) {
    io.stderr.write(helpText());
    return USAGE_EXIT_CODE;
  }
  const verb = VERBS.find((each) => each.name === name);
  if (verb === undefined) {
    io.complain('trundle', unknown(name), 'See: trundle --help');
    return USAGE_EXIT_CODE;
  }
  try {
    const run = await verb.load();
    return await run(rest, io);
  } catch (error) {
    return failed(verb.name, error, io);
  }
}

function unknown(name: string): string {
  const names = VERBS.map((verb) => verb.name);
  if (name.startsWith('-'))
    return `there is no option ${name} before a verb. Options come after it, as in: trundle run ${name} ...`;
  return `there is no verb "${name}".${didYouMean(name, names)} The verbs are ${names.join(', ')}.`;
}

/** Errors that say all that a person needs to know; where they come from does not help. */
const PLAIN = ['UsageError', 'TraceError', 'BackendError', 'BackendLoadError', 'BackendOptionError'];

function failed(verb: string, error: unknown, io: Io): number {
  if (error instanceof HelpShown) return 0;
  const from = `trundle ${verb}`;
  if (error instanceof Error && PLAIN.includes(error.name)) {
    const [problem = '', ...suggestion] = error.message.split('\n');
    const hint = error instanceof UsageError ? (error.hint ?? `See: trundle ${verb} --help`) : remedyOf(error);
    io.complain(from, problem, suggestion.length === 0 ? hint : suggestion.join(' ').replace(/^\((.*)\)$/, '$1'));
  } else if (error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd') {
    io.complain(from, 'the directory in which it was started is gone', 'Start it in one that is there.');
  } else {
    io.complain(from, `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    io.complain(from, 'this is a fault of Trundle; please report it.');
  }
  return USAGE_EXIT_CODE;
}

function remedyOf(error: Error): string | null {
  return 'remedy' in error && typeof error.remedy === 'string' ? error.remedy : null;
}
