import type { Explanation, ToldEvent } from './explain.ts';
import { count, printable, seconds, shellLine } from './words.ts';

/** An explanation as text for a terminal or a log: whole lines, no colours. Pure. */
export function renderExplanation(of: Explanation): string {
  const blocks = [head(of), damage(of), cause(of), tests(of), kept(of), left(of), next(of)];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function head(of: Explanation): string {
  const what = of.sources.length === 0 ? 'a session' : printable(shellLine(of.sources));
  const where = of.backend.length === 0 ? '' : ` on ${printable(shellLine(of.backend))}`;
  const when = Date.parse(of.started) === 0 ? 'an unknown time' : of.started;
  const lines = [`Run ${of.run} of ${when}: ${what}${where}.`];
  if (of.exitCode !== null) lines.push(`It ended with exit code ${of.exitCode}${of.cause === null ? '.' : ':'}`);
  else lines.push('It has not ended, or it was killed: the trace has no end.');
  if (of.truncated) lines.push('The last line of the trace is cut off and was left out.');
  return lines.join('\n');
}

function damage(of: Explanation): string {
  if (of.damage.length === 0) return '';
  return [
    `The trace cannot be read as a whole. What follows is told by ${count(of.events, 'event')} that can be:`,
    ...of.damage.map((place) => `  ${printable(place)}`),
  ].join('\n');
}

function cause(of: Explanation): string {
  if (of.interrupted !== null) {
    const { phase, doing, last } = of.interrupted;
    return `The last that is known: ${printable(doing)} (phase ${phase})${last === null ? '.' : `:\n${event(last)}`}`;
  }
  if (of.cause === null) return '';
  const { phase, doing, detail } = of.cause;
  const lines = [
    `${of.cause.class}: ${of.meaning ?? ''}`,
    `It happened while ${printable(doing)} (phase ${phase})${detail ? `: ${printable(detail)}` : '.'}`,
  ];
  if (of.evidence.length > 0) lines.push('What proves it:', ...of.evidence.map(event));
  return lines.join('\n');
}

function event(told: ToldEvent): string {
  return `  ${seconds(told.at)}  ${told.testbed === null ? '' : `${told.testbed}: `}${told.text}  [event ${told.seq}]`;
}

function tests(of: Explanation): string {
  if (of.tests.length === 0) return '';
  const width = Math.max(...of.tests.map((test) => test.test.length));
  const lines = of.tests.map((test) => {
    const reason = test.reason === '' ? '' : `  ${printable(test.reason)}`;
    const took = test.took === null ? '' : `  ${seconds(test.took)}`;
    return `  ${printable(test.test).padEnd(width)}  ${(test.outcome ?? 'no verdict').toUpperCase()}${took}${reason}`;
  });
  return ['Tests:', ...lines].join('\n');
}

function kept(of: Explanation): string {
  if (of.kept.length === 0) return '';
  const lines = of.kept.map(
    ({ testbed, enter, command }) =>
      `  testbed ${testbed}: ${printable(shellLine(enter))} gets in; ${command} removes it`,
  );
  return ['Kept on purpose:', ...lines].join('\n');
}

function left(of: Explanation): string {
  if (of.left.length === 0) return '';
  const lines = of.left.map(
    ({ kind, name, command }) => `  ${kind} ${printable(name)}${command === null ? '' : `: ${command}`}`,
  );
  return ['Left behind:', ...lines].join('\n');
}

function next(of: Explanation): string {
  if (of.next.length === 0) return '';
  return ['What to do next:', ...of.next.map((step) => `  - ${step}`)].join('\n');
}
