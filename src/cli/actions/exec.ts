import type { CommandEnd, ExecOptions } from '../../testbed/index.ts';
import type { Io } from '../Io.ts';
import { endBlock } from '../live/endBlock.ts';
import { exitCodeOfCommand, isOwnEnd, wentWell } from '../live/endOfCommand.ts';
import { gather, pump } from '../live/pump.ts';
import { inSession, type Session, type SessionEnd } from '../live/session.ts';
import type { ExecFlags } from '../verbs/exec.ts';
import { assignment } from '../words.ts';

/** Bytes of each output stream that --json keeps. */
const KEPT = 64 * 1024 * 1024;

/** Runs a line, or a program with its arguments, in a new testbed. @returns the exit code */
export async function runCommand(
  line: string | readonly string[],
  flags: ExecFlags,
  where: readonly string[],
  io: Io,
): Promise<number> {
  return await inSession(io, where, flags, {
    run: (session) => execute(session, line, flags, io),
    failed: ({ end }) => !wentWell(end),
    tell: (ended) => tellEnd(ended, flags.json ?? false, io),
  });
}

async function tellEnd(
  { value, end, kept, home, watch }: SessionEnd<Executed>,
  json: boolean,
  io: Io,
): Promise<number> {
  const commandEnd = value?.end ?? null;
  const exitCode = exitCodeOfCommand(commandEnd, end);
  if (json) {
    const { run, directory: trace } = home;
    io.document({
      run,
      trace,
      exitCode,
      result: commandEnd?.result ?? null,
      leaked: commandEnd?.leaked ?? false,
      stdout: value?.stdout ?? '',
      stderr: value?.stderr ?? '',
      truncated: value?.truncated ?? false,
      cause: end.cause ?? commandEnd?.cause ?? null,
      kept,
    });
  }
  if (commandEnd?.result.kind === 'timed-out' && end.exitCode === 0)
    watch.say(`the command ran for more than ${commandEnd.result.after / 1000} s and was ended`);
  else if (!isOwnEnd(commandEnd, end) && !watch.readerGone) {
    const cause = end.cause ?? commandEnd?.cause ?? null;
    watch.screen.stderr.write(await endBlock({ exitCode, cause, home, settled: watch.settled }, watch.colors));
  }
  return exitCode;
}

interface Executed {
  readonly end: CommandEnd;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
}

async function execute(
  { testbed, watch, signal, secretEnv }: Session,
  line: string | readonly string[],
  flags: ExecFlags,
  io: Io,
): Promise<Executed> {
  const input = flags.stdin === false ? null : io.lendStdin((message) => watch.say(message));
  const running = testbed.start(line, {
    ...optionsOf(flags, secretEnv),
    ...(input === null ? {} : { stdin: input.stdin }),
    signal,
  });
  // From now on the terminal is the command's.
  watch.screen.suspend();
  try {
    if (flags.json) {
      const [end, stdout, stderr] = await Promise.all([
        running.ended,
        gather(running.stdout, KEPT),
        gather(running.stderr, KEPT),
      ]);
      return { end, stdout: stdout.text, stderr: stderr.text, truncated: stdout.truncated || stderr.truncated };
    }
    const [end] = await Promise.all([running.ended, pump(running.stdout, io.stdout), pump(running.stderr, io.stderr)]);
    return { end, stdout: '', stderr: '', truncated: false };
  } finally {
    input?.takeBack();
    watch.screen.resume();
  }
}

function optionsOf(flags: ExecFlags, secretEnv: readonly string[]): ExecOptions {
  const env = [...(flags.env ?? []), ...secretEnv];
  return {
    ...(flags.user === undefined ? {} : { login: flags.user }),
    ...(flags.cwd === undefined ? {} : { cwd: flags.cwd }),
    ...(env.length === 0 ? {} : { env: Object.fromEntries(env.map(assignment)) }),
    ...(flags.timeout === undefined ? {} : { timeout: Math.max(1, Math.round(flags.timeout * 1000)) }),
  };
}
