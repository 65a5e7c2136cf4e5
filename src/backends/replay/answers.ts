import type { Failure } from '../../events/index.ts';
import type { AnsweredChannel } from '../../standin/index.ts';

/** The line before an answer of the driver's own scripts. */
const MARK = 'trundle answers:\n';

/** What the driver's launch line prints first, on each stream. Pure. */
export function markers(nonce: string, pid: number): ['stdout' | 'stderr', Buffer][] {
  return (['stdout', 'stderr'] as const).map((stream) => [
    stream,
    Buffer.from(`trundle:${nonce}:${stream}:${pid}::/bin/sh\n`),
  ]);
}

/** Answers how many processes a signal reached, or any other word. */
export function answerSurvivors(channel: AnsweredChannel, word: number | string): void {
  channel.write('stdout', Buffer.from(`${MARK}${word}\n`));
  channel.exit(0);
  channel.end();
}

/** Answers which boot it is: a boot id, and a line of /proc/1/stat (proc(5)) whose field 22 is the start time. */
export function answerIdentity(
  channel: AnsweredChannel,
  { identity, failure }: { identity: string | null; failure: Failure | null },
): void {
  if (identity === null) return sayWhy(channel, failure?.message ?? 'nobody can tell');
  const [bootId, started] = identity.split('/');
  const fields = ['S', ...Array.from({ length: 18 }, () => '0'), started].join(' ');
  answerSurvivors(channel, `${bootId}\n1 (init) ${fields}`);
}

/** Ends a command with words on stderr. */
export function sayWhy(channel: AnsweredChannel, why: string): void {
  channel.write('stderr', Buffer.from(`${why}\n`));
  channel.exit(125);
  channel.end();
}
