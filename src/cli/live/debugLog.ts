import type { Writable } from 'node:stream';
import type { Decision } from '../../events/index.ts';
import type { Run } from '../../testbed/index.ts';
import { hiding } from '../../trace/index.ts';

/** A debug log as a run takes it. */
export type Log = (message: string, fields?: Record<string, unknown>) => void;

/**
 * The log of --debug: pino's lines of JSON, or lines for a person where that is where they go.
 * pino takes long to load, so only who asks for the log pays for it.
 */
export async function openDebugLog(
  stream: Writable,
  forPerson: boolean,
  secrets: readonly string[] = [],
): Promise<Log> {
  const { default: pino } = await import('pino');
  const destination = forPerson ? { write: (line: string) => void stream.write(readable(line)) } : stream;
  const logger = pino({ level: 'debug', base: { pid: process.pid } }, destination as Writable);
  const hidden = hiding(secrets);
  return (message, fields = {}) => logger.debug(hidden.event(fields), hidden.text(message));
}

/**
 * Logs all that a run sees, and after each event what the machines made of it. What a command prints is counted, not
 * shown.
 */
export function logRun(run: Run, log: Log): void {
  const decisions: Decision[] = [];
  run.decisions$.subscribe((decision) => decisions.push(decision));
  run.events$.subscribe(({ v: _version, run: _run, type, ...fields }) => {
    log(type, fields);
    for (const { seq, machine, state, commands } of decisions.splice(0)) {
      log('decision', { event: seq, machine, state, commands: commands.map((command) => command.type) });
    }
  });
}

/** One of pino's lines for a person: `12:00:01.234 message key=value`. Pure but for the time zone. */
export function readable(line: string): string {
  const { time, msg, level: _level, pid: _pid, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const date = new Date(Number(time));
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
  const rest = Object.entries(fields).map(
    ([key, value]) =>
      `${key}=${typeof value === 'string' && /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value)}`,
  );
  return `${[clock, String(msg), ...rest].join(' ')}\n`;
}
