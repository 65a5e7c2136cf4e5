import type { Chart, ChartEdge, ChartState, Line } from './chart.ts';
import type { Place, Reading, Step } from './readMachine.ts';
import { listOfEvents, whereOf, wrap } from './words.ts';

/** So many arrows alike, and so large a part of the states that they come from, are told in a note instead. */
const ALIKE = { arrows: 4, share: 1 / 3 };
/** Lines at one arrow; a longer list is cut, and says so. */
const MOST_LINES = 6;
const NOTE_WIDTH = 26;
const LABEL_WIDTH = 34;

/** What is special about one machine's picture. */
export interface Folding {
  /** Event types whose arrows are always drawn, since they are what the picture is about. */
  readonly draw?: readonly string[];
  /** Pairs of states of which the first has to stand above the second, where only notes tell of a way between them. */
  readonly order?: readonly (readonly [string, string])[];
}

/**
 * Makes a chart that a person can read of a machine: transitions between the same two states share an arrow, those
 * that many states have in common come out of a note, and what was not expected is told once. Pure.
 */
export function foldChart(name: string, { places, steps }: Reading, { draw = [], order = [] }: Folding = {}): Chart {
  const outer = places.filter((place) => !place.final).map((place) => place.path);
  const leaving = steps.filter((step) => !step.unexpected && step.target !== null);
  const notes = [...notesOfAlike(leaving, outer, draw), ...notesOfUnexpected(steps, outer)];
  const folded = new Set(notes.flatMap((note) => note.steps));
  const drawn = leaving.filter((step) => !folded.has(step));
  return {
    name,
    // A note stands before the state that it leads to, so that it is drawn above it.
    states: places.flatMap((place) => [
      ...notes.filter((note) => note.edge.to.split('.', 1)[0] === place.path).map((note) => note.state),
      stateOf(place, steps),
    ]),
    edges: [
      ...groupBy(drawn, (step) => `${step.source} ${step.target}`).map((group) =>
        edgeOf(group[0]?.source ?? '', group),
      ),
      ...notes.map((note) => note.edge),
    ],
    order,
    footnotes: footnotesOf(steps, outer),
  };
}

interface Note {
  readonly state: ChartState;
  readonly edge: ChartEdge;
  readonly steps: readonly Step[];
}

function notesOfAlike(leaving: readonly Step[], outer: readonly string[], draw: readonly string[]): Note[] {
  const candidates = leaving.filter((step) => step.kind !== 'always' && !draw.includes(step.on));
  const alike = groupBy(candidates, (step) => `${step.target} ${labelOf([step]).text}`).filter((group) => {
    if (group[0]?.source === '') return true;
    return group.length >= ALIKE.arrows && group.length >= outer.length * ALIKE.share;
  });
  const byPlaces = groupBy(alike, (group) => `${group[0]?.target} ${group.map((step) => step.source).join()}`);
  return byPlaces.map((groups, index) => {
    const sources = (groups[0] ?? []).map((step) => step.source);
    const id = `note-${index + 1}`;
    const where = sources.includes('') ? 'any state' : whereOf(outermost(groups[0] ?? []), outer);
    const firsts = groups.flatMap((group) => group.slice(0, 1));
    return { state: noteOf(id, where), edge: edgeOf(id, firsts), steps: groups.flat() };
  });
}

function notesOfUnexpected(steps: readonly Step[], outer: readonly string[]): Note[] {
  const breaches = steps.filter((step) => step.unexpected && step.target !== null);
  return groupBy(breaches, (step) => `${step.target}`).map((group, index) => {
    const id = `unexpected-${index + 1}`;
    const to = group[0]?.target ?? '';
    const where = whereOf(outermost(group), outer);
    return {
      state: noteOf(id, `anything unexpected in ${where}`),
      edge: { id: `${id}>${to}`, from: id, to, lines: [], style: 'unexpected' },
      steps: group,
    };
  });
}

function noteOf(id: string, text: string): ChartState {
  const lines = wrap(text, NOTE_WIDTH).map((line) => ({ kind: 'words', text: line }) as const);
  return { id, name: '', kind: 'note', lines, children: [], initial: false };
}

function stateOf(place: Place, steps: readonly Step[]): ChartState {
  const within = steps.filter(
    (step) => step.source === place.path && step.target === null && !step.unexpected && step.effects.length > 0,
  );
  return {
    id: place.path,
    name: place.name,
    kind: place.final ? 'final' : 'state',
    lines: [...place.entry, ...linesOf(within).flatMap(wrapped)],
    children: place.children.map((child) => stateOf(child, steps)),
    initial: place.initial,
  };
}

function edgeOf(from: string, steps: readonly Step[]): ChartEdge {
  const to = steps[0]?.target ?? '';
  const style = steps.every((step) => step.kind === 'deadline') ? 'deadline' : 'event';
  return { id: `${from}>${to}`, from, to, lines: linesOf(steps).flatMap(wrapped), style };
}

/** Steps that differ in nothing but the event share a line. */
function linesOf(steps: readonly Step[]): Line[] {
  const lines = groupBy(
    steps,
    (step) => `${step.kind === 'event' ? 'event' : step.on} ${step.kind} ${suffixOf(step)}`,
  ).map(labelOf);
  if (lines.length <= MOST_LINES) return lines;
  const more = `and ${lines.length - MOST_LINES + 1} more`;
  return [...lines.slice(0, MOST_LINES - 1), { kind: 'words', text: more }];
}

function labelOf(alike: readonly Step[]): Line {
  const first = alike[0];
  if (first === undefined) return { kind: 'words', text: '' };
  const on = first.kind === 'event' ? listOfEvents(alike.map((step) => step.on)) : first.on;
  const kind = first.kind === 'deadline' ? 'deadline' : first.kind === 'event' ? 'event' : 'words';
  const suffix = suffixOf(first);
  return { kind, text: `${on}${on !== '' && suffix !== '' ? ' ' : ''}${suffix}` };
}

function wrapped({ kind, text }: Line): Line[] {
  return wrap(text, LABEL_WIDTH).map((part, index) =>
    index === 0 ? { kind, text: part } : { kind: 'more', text: part },
  );
}

function suffixOf({ when, effects }: Step): string {
  const guard = when === '' ? [] : [`[${when.replaceAll(' ', '\u00a0')}]`];
  const does = effects.map(({ kind, text }) => (kind === 'deadline' ? `start\u00a0${text}` : text)).join(', ');
  return [...guard, ...(does === '' ? [] : [`/ ${does}`])].join(' ');
}

function footnotesOf(steps: readonly Step[], outer: readonly string[]): string[] {
  const recorded = steps.filter((step) => step.unexpected && step.target === null);
  const everywhere = steps.filter(
    (step) => step.source === '' && step.target === null && step.effects.length > 0 && !step.unexpected,
  );
  const notes = linesOf(everywhere).map(({ text }) => `In any state: ${text}.`);
  if (recorded.length === 0) return notes;
  return [...notes, `What is not expected in ${whereOf(outermost(recorded), outer)} is recorded and changes nothing.`];
}

function outermost(steps: readonly Step[]): string[] {
  return [...new Set(steps.map((step) => step.source.split('.', 1)[0] ?? ''))];
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
