import type { Chart, ChartEdge, ChartState, Line } from './chart.ts';

/** Signs before lines, as the legend of the pictures has them. */
const SIGNS: Readonly<Record<Line['kind'], string>> = {
  event: '',
  words: '',
  more: '',
  deadline: '⏱ ',
  command: '▸ ',
  fact: '◆ ',
};

/** A chart in Mermaid's language for state diagrams (stateDiagram-v2). Pure. */
export function writeMermaid(chart: Chart, title: string, about: string): string {
  const finals = chart.states.filter(({ kind }) => kind === 'final');
  return [
    '---',
    `title: ${title}`,
    '---',
    'stateDiagram-v2',
    `  %% ${about}`,
    ...chart.footnotes.map((note) => `  %% ${note}`),
    '  direction TB',
    '  classDef aside stroke-dasharray: 4 3',
    ...chart.states.flatMap((state) => stateLines(state, '  ')),
    ...chart.edges.map(edgeLine),
    ...finals.map(({ id }) => `  ${nameOf(id)} --> [*]`),
    '',
  ].join('\n');
}

function stateLines(state: ChartState, indent: string): string[] {
  const name = nameOf(state.id);
  const title = state.kind === 'note' ? textsOf(state.lines).join(' ') : state.name;
  const lines = [`${indent}state ${JSON.stringify(title)} as ${name}`];
  if (state.initial) lines.unshift(`${indent}[*] --> ${name}`);
  if (state.children.length > 0) {
    const within = state.children.flatMap((child) => stateLines(child, `${indent}  `));
    lines.push(`${indent}state ${name} {`, ...within, `${indent}}`);
    // Mermaid shows no lines in a state that has states inside it, but a note beside it.
    const notes = textsOf(state.lines).map((text) => `${indent}  ${text}`);
    if (notes.length > 0) lines.push(`${indent}note left of ${name}`, ...notes, `${indent}end note`);
    return lines;
  }
  if (state.kind === 'note') return [...lines, `${indent}class ${name} aside`];
  return [...lines, ...textsOf(state.lines).map((text) => `${indent}${name} : ${text}`)];
}

function edgeLine({ from, to, lines, style }: ChartEdge): string {
  const text = style === 'unexpected' ? '' : textsOf(lines).join('<br/>');
  return `  ${nameOf(from)} --> ${nameOf(to)}${text === '' ? '' : ` : ${text}`}`;
}

/** Mermaid breaks lines by itself: what was too long for a picture is one line again. */
function textsOf(lines: readonly Line[]): string[] {
  const texts: string[] = [];
  for (const { kind, text } of lines) {
    const plain = `${SIGNS[kind]}${text.replaceAll('\u00a0', ' ')}`;
    if (kind === 'more' && texts.length > 0) texts.push(`${texts.pop()} ${plain}`);
    else texts.push(plain);
  }
  return texts;
}

/** Mermaid wants names without dots and dashes. */
function nameOf(id: string): string {
  return id.replaceAll(/[^A-Za-z0-9]/g, '_');
}
