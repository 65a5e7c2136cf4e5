import { count, printable, seconds } from '../explain/words.ts';
import type { ComparedRun, Comparison, ConsoleLine, Parting, Step, ValueDifference } from './contract.ts';

/** How many of each kind of difference are told; --json tells all. */
const MOST = 15;

/** A comparison as text for a terminal or a log: whole lines, no colours. Pure. */
export function renderComparison(of: Comparison): string {
  const blocks = [head(of), parted(of), detours(of), tests(of), timing(of), environment(of), packages(of), console(of)];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function head({ good, bad }: Comparison): string {
  return [`Good: ${run(good)}`, `Bad:  ${run(bad)}`].join('\n');
}

function run({ run: id, started, exitCode, cause, events, truncated }: ComparedRun): string {
  const end = exitCode === null ? 'no end' : `exit code ${exitCode}`;
  const why = cause === null ? '' : `, ${cause.class} while ${printable(cause.doing)}`;
  const cut = truncated ? '; its last line is cut off or damaged' : '';
  return `run ${id} of ${started}: ${count(events, 'event')}, ${end}${why}${cut}`;
}

function parted({ parted: parting }: Comparison): string {
  if (parting === null) return 'They never part: the machines of both take the same way to the same states.';
  return ['They part first at this:', ...told(parting)].join('\n');
}

function told({ of, last, good, bad }: Parting): string[] {
  const before =
    last === null ? [] : [`  both     ${step(last.bad)} (good: event ${last.good.seq} at ${seconds(last.good.at)})`];
  return [`  ${printable(of)}`, ...before, ...way('good', good), ...way('bad', bad)];
}

function way(side: string, steps: readonly Step[]): string[] {
  const label = `  ${side.padEnd(8)} `;
  if (steps.length === 0) return [`${label}nothing of the kind`];
  const more = steps.length > 4 ? [`${' '.repeat(label.length)}and ${count(steps.length - 4, 'more step')}`] : [];
  return [
    ...steps.slice(0, 4).map((each, index) => `${index === 0 ? label : ' '.repeat(label.length)}${step(each)}`),
    ...more,
  ];
}

function step({ seq, at, state, text }: Step): string {
  return `${shortened(text)}${state === null ? '' : ` -> ${state}`}  [event ${seq} at ${seconds(at)}]`;
}

function detours({ partings, parted: first }: Comparison): string {
  const [before, after] = [
    partings.filter((each) => each.rejoined),
    partings.filter((each) => !each.rejoined && each !== first),
  ];
  const list = (title: string, items: readonly Parting[]) =>
    items.length === 0 ? [] : [title, ...items.slice(0, 5).flatMap((each) => told(each)), ...more(items.length - 5)];
  return [
    ...list('Detours, after which they come to the same end:', before),
    ...(after.length === 0
      ? []
      : [`What comes after it: ${count(after.length, 'more difference')} (--json tells all).`]),
  ].join('\n');
}

function tests({ tests: differences }: Comparison): string {
  if (differences.length === 0) return '';
  const verdict = (of: { outcome: string; reason: string } | null) =>
    of === null ? 'no verdict' : `${of.outcome.toUpperCase()} ${printable(of.reason)}`.trimEnd();
  const lines = differences.map(
    ({ test, good, bad }) => `  ${printable(test)}: good ${verdict(good)}, bad ${verdict(bad)}`,
  );
  return capped('Tests with another verdict:', lines);
}

function timing({ timing: spans }: Comparison): string {
  const notable = spans.filter((span) => span.notable);
  if (notable.length === 0) return '';
  const lines = notable.map(
    ({ span, good, bad }) => `  ${printable(span)}: good ${seconds(good ?? 0)}, bad ${seconds(bad ?? 0)}`,
  );
  return capped('What took longer or shorter:', lines);
}

function environment({ environment: differences }: Comparison): string {
  return differences.length === 0 ? '' : capped('What differs around them:', differences.map(value));
}

function packages({ packages: differences }: Comparison): string {
  if (differences === null) return '';
  return differences.length === 0
    ? 'The same packages are installed in both testbeds.'
    : capped(`${count(differences.length, 'package')} not the same:`, differences.map(value));
}

function value({ name, good, bad }: ValueDifference): string {
  const shown = (of: string | null) => (of === null ? 'nothing' : shortened(printable(of)));
  return `  ${printable(name)}: good ${shown(good)}, bad ${shown(bad)}`;
}

function console({ console: { good, bad } }: Comparison): string {
  const lines = (side: string, only: readonly ConsoleLine[]) =>
    only.map(({ seq, line }) => `  ${side.padEnd(5)} ${shortened(printable(line))}  [event ${seq}]`);
  const all = [...lines('bad', bad.only), ...lines('good', good.only)];
  return all.length === 0 ? '' : capped('Lines that only one console printed:', all);
}

function capped(title: string, lines: readonly string[]): string {
  return [title, ...lines.slice(0, MOST), ...more(lines.length - MOST)].join('\n');
}

function more(left: number): string[] {
  return left > 0 ? [`  and ${left} more (--json tells all)`] : [];
}

function shortened(text: string): string {
  return text.length > 160 ? `${text.slice(0, 160)}...` : text;
}
