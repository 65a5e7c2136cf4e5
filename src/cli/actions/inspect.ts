import { writeFileSync } from 'node:fs';
import { exportReport, inspectTraces, type ServedPage, sendToStately } from '../../inspector/index.ts';
import type { Io } from '../Io.ts';
import { openBrowser } from '../live/openBrowser.ts';
import { traceArgument } from '../live/traceArgument.ts';
import { untilSignalled } from '../live/untilSignalled.ts';
import { UsageError } from '../UsageError.ts';

/** What of the command line says how traces are shown. */
export interface InspectFlags {
  readonly last: boolean;
  readonly exportTo: string | null;
  readonly port: number;
  readonly open: boolean;
  readonly stately: string | null;
}

/** Shows traces in the browser until somebody ends it, or writes them to a file. @returns the exit code */
export async function inspectArguments(words: readonly string[], flags: InspectFlags, io: Io): Promise<number> {
  const traces = await tracesOf(words, flags.last, io.env);
  if (flags.exportTo !== null) {
    writeReport(flags.exportTo, await exportReport(traces));
    return 0;
  }
  if (flags.stately !== null) return await send(traces, flags.stately, io);
  await using page = await serve(traces, flags.port);
  const end = untilSignalled();
  io.stdout.write(`${page.url}\n`);
  io.stderr.write('trundle: this address opens the page; Ctrl-C ends it\n');
  if (flags.open) openBrowser(page.url, io.env, (message) => io.complain('trundle inspect', message));
  await end;
  return 0;
}

async function tracesOf(words: readonly string[], last: boolean, env: NodeJS.ProcessEnv): Promise<string[]> {
  if (words.length === 0 || last) return [await traceArgument(words[0], last, env)];
  return await Promise.all(words.map((word) => traceArgument(word, false, env)));
}

async function send([trace = '']: readonly string[], url: string, io: Io): Promise<number> {
  if (!URL.canParse(url)) throw new UsageError(`--stately ${url}: expected an address as in ws://localhost:8080`);
  const stop = new AbortController();
  void untilSignalled().then(() => stop.abort());
  try {
    const sent = await sendToStately(trace, url, stop.signal);
    io.stdout.write(`${sent} messages sent to ${url}\n`);
    return 0;
  } catch (error) {
    throw new UsageError(
      `the run could not be sent: ${(error as Error).message}`,
      'A relay is started by createInspectorServer() of the package @statelyai/inspect/server.',
    );
  }
}

async function serve(traces: readonly string[], port: number): Promise<ServedPage> {
  try {
    return await inspectTraces(traces, port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    const why = code === 'EADDRINUSE' ? 'is taken' : 'may not be used by this user';
    throw new UsageError(`port ${port} ${why}`, 'Leave --port out to take any free one.');
  }
}

function writeReport(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UsageError(`--export ${file} cannot be written: ${(error as Error).message}`);
  }
}
