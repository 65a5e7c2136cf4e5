import type { TrundleEvent } from '../events/index.ts';
import { describeEvent } from './explain/describeEvent.ts';
import { causeWords, count, printable, seconds } from './explain/words.ts';
import type { Slice } from './minimise.ts';
import type { Verdict, WhatIf } from './whatIf.ts';

/** What an edited history comes to, in words. Pure. */
export function renderWhatIf(run: string, { before, after, parted, events, added, unexpected, open }: WhatIf): string {
  const same = JSON.stringify(before) === JSON.stringify(after);
  const lines = [
    `Run ${run}, if that had been so:`,
    `  as recorded  ${verdict(before)}`,
    `  then         ${same ? 'the same' : verdict(after)}`,
  ];
  if (parted !== null) lines.push('', `The machines go another way after event ${parted.seq}: ${parted.text}`);
  for (const subject of open)
    lines.push(
      `What would have come of ${subject.replace(':', ' ')}, nobody knows: then it was ended by its deadline.`,
    );
  const cause = after?.cause ?? null;
  if (!same && cause !== null && cause.evidence.length > 0) {
    const numbers = new Set(added.map(({ seq }) => seq));
    lines.push('What proves it:');
    for (const event of events) {
      if (cause.evidence.includes(event.seq))
        lines.push(told(event, numbers.has(event.seq) ? 'new' : `event ${event.seq}`));
    }
  }
  if (parted !== null)
    lines.push(
      '',
      'What happened later is taken as it was recorded, although the world would have answered otherwise' +
        `${unexpected === 0 ? '.' : `; ${count(unexpected, 'event')} came where no machine expects ${unexpected === 1 ? 'it' : 'them'}.`}`,
    );
  return `${lines.join('\n')}\n`;
}

/** The smallest slice, in words. Pure. */
export function renderSlice(run: string, slice: Slice | null, output: string | null = null): string {
  if (slice === null) return `Run ${run} has no cause: nothing failed in it, or its trace ends before.\n`;
  const { cause, events, of, trials, smallest } = slice;
  return [
    `Run ${run}: ${count(events.length, 'event')} of ${of} are enough for ${causeWords(cause)} (phase ${cause.phase}):`,
    ...events.map((event) => told(event, `event ${event.seq}`)),
    smallest
      ? `Without any one of them it comes to something else (${trials} histories were tried).`
      : `There may be fewer: the search was ended after ${trials} histories.`,
    ...(output === null ? [] : [`They are in ${printable(output)}, as a trace.`]),
    '',
  ].join('\n');
}

function verdict(of: Verdict | null): string {
  if (of === null) return 'no verdict: the run comes to no end';
  return `exit code ${of.exitCode}${of.cause === null ? ', no failure' : `, ${printable(causeWords(of.cause))} (phase ${of.cause.phase})`}`;
}

function told(event: TrundleEvent, number: string): string {
  const text = describeEvent(event);
  return `  ${seconds(event.at)}  ${event.testbed === null ? '' : `${event.testbed}: `}${text.length > 160 ? `${text.slice(0, 160)}...` : text}  [${number}]`;
}
