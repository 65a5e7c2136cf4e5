import type { Line, LineKind } from './chart.ts';
import type { Box, Layout, PlacedEdge, PlacedState } from './layoutChart.ts';
import { pictureStyle } from './style.ts';
import { FONT, SIGN_WIDTH } from './textSize.ts';

const MARGIN = 20;
const HEAD = 74;
const LEGEND = 30;

/** What the arrows of a picture end in. */
const DEFINITIONS: readonly string[] = [
  '  <defs>',
  ...['head', 'head-deadline', 'head-unexpected'].map(
    (name) =>
      `    <marker id="${name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path class="${name}" d="M0,1 L10,5 L0,9 z"/></marker>`,
  ),
  '  </defs>',
];

/** What is in the picture of a chart, for an SVG element that has the style. Pure. */
export function drawInner(layout: Layout): string {
  return [...DEFINITIONS, ...drawParts(layout)].join('\n');
}

function drawParts(layout: Layout): string[] {
  return [
    ...layout.states.map(drawBox),
    ...layout.starts.map(drawStart),
    ...layout.edges.map(drawArrow),
    // An arrow into a state may cross what is written in the state around it.
    ...layout.states.map(drawWriting),
    ...layout.edges.flatMap(drawLabel),
  ];
}

/** Draws a chart that has been laid out as an SVG picture that needs nothing else. Pure. */
export function drawSvg(layout: Layout, title: string, about: string): string {
  const { chart } = layout;
  const width = Math.ceil(Math.max(layout.width, LEGEND_WIDTH) + 2 * MARGIN);
  const feet = chart.footnotes.length * FONT.lineHeight;
  const height = Math.ceil(HEAD + layout.height + LEGEND + feet + MARGIN);
  const below = HEAD + layout.height + 16;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description" font-family="'DejaVu Sans', Verdana, system-ui, sans-serif">`,
    `  <title id="title">${escaped(title)}</title>`,
    `  <desc id="description">${escaped(about)}</desc>`,
    `  <style>${pictureStyle()}</style>`,
    ...DEFINITIONS,
    `  <rect class="ground" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    `  <text class="title" x="${MARGIN}" y="34">${escaped(title)}</text>`,
    `  <text class="line soft" x="${MARGIN}" y="56">${escaped(about)}</text>`,
    `  <g transform="translate(${MARGIN},${HEAD})">`,
    ...drawParts(layout),
    '  </g>',
    `  <g transform="translate(${MARGIN},${below})" class="soft">`,
    ...drawLegend(),
    ...chart.footnotes.map(
      (note, index) => `    <text class="line" x="0" y="${(index + 1) * FONT.lineHeight + 12}">${escaped(note)}</text>`,
    ),
    '  </g>',
    '</svg>',
    '',
  ].join('\n');
}

function drawBox({ state, ...box }: PlacedState): string {
  const style = state.children.length > 0 ? 'compound' : state.kind;
  const outer = rectangle(box, style, state.kind === 'note' ? 14 : 8, ` data-state="${escaped(state.id)}"`);
  return `    ${outer}${state.kind === 'final' ? rectangle(inset(box, 3), style, 6) : ''}`;
}

function drawWriting({ state, x, y, width }: PlacedState): string {
  const parts: string[] = [];
  let baseline = y + 8;
  if (state.name !== '') {
    baseline += FONT.nameHeight;
    parts.push(`<text class="name" x="${round(x + 12)}" y="${round(baseline - 5)}">${escaped(state.name)}</text>`);
    const middle = `cx="${round(x + width - 16)}" cy="${round(baseline - 10)}"`;
    if (state.kind === 'final') {
      parts.push(`<circle class="arrow" ${middle} r="6"/><circle class="start" ${middle} r="3"/>`);
    }
  }
  for (const line of state.lines) {
    baseline += FONT.lineHeight;
    parts.push(drawLine(line, x + 12, baseline - 4));
  }
  return `    <g${state.children.length > 0 ? ' class="above"' : ''}>${parts.join('')}</g>`;
}

function drawStart({ x, y, width }: Box): string {
  return `    <circle class="start" cx="${round(x + width / 2)}" cy="${round(y + width / 2)}" r="${width / 2}"/>`;
}

function drawArrow({ edge, points }: PlacedEdge): string {
  const style = edge.style === 'event' ? '' : ` ${edge.style}`;
  const head = edge.style === 'event' ? 'head' : `head-${edge.style}`;
  const id = edge.id === '' ? '' : ` data-edge="${escaped(edge.id)}"`;
  return `    <path${id} class="arrow${style}" marker-end="url(#${head})" d="${rounded(points)}"/>`;
}

function drawLabel({ edge, label }: PlacedEdge): string[] {
  if (label === null) return [];
  const lines = edge.lines.map((line, index) =>
    drawLine(line, label.x + 4, label.y + (index + 1) * FONT.lineHeight - 3),
  );
  return [`    <g data-label="${escaped(edge.id)}">${rectangle(label, 'label', 3)}${lines.join('')}</g>`];
}

function drawLine({ kind, text }: Line, x: number, y: number): string {
  const sign = signOf(kind, x, y);
  const at = sign === '' && kind !== 'more' ? x : x + SIGN_WIDTH;
  return `${sign}<text class="line" x="${round(at)}" y="${round(y)}">${escaped(text)}</text>`;
}

/** A clock for a deadline, a triangle for a command, a diamond for a fact. */
function signOf(kind: LineKind, x: number, y: number): string {
  const [cx, cy] = [round(x + 6), round(y - 4)];
  const at = `transform="translate(${cx},${cy})"`;
  if (kind === 'deadline') return `<g class="sign" ${at}><circle r="5"/><path d="M0,-3 V0 H2.5"/></g>`;
  if (kind === 'command') return `<path class="sign-command" ${at} d="M-4,-4.5 L5,0 L-4,4.5 z"/>`;
  return kind === 'fact' ? `<path class="sign-fact" ${at} d="M0,-5 L5,0 L0,5 L-5,0 z"/>` : '';
}

const LEGEND_ITEMS: readonly Line[] = [
  { kind: 'command', text: 'command to the backend or the driver' },
  { kind: 'fact', text: 'fact for the trace and the other machines' },
  { kind: 'deadline', text: 'deadline: in a state it starts, at an arrow it has passed' },
];
const LEGEND_STEPS = [0, 290, 612];
const LEGEND_WIDTH = 980;

function drawLegend(): string[] {
  return LEGEND_ITEMS.map((line, index) => `    ${drawLine(line, LEGEND_STEPS[index] ?? 0, 8)}`);
}

function rectangle({ x, y, width, height }: Box, style: string, radius: number, more = ''): string {
  return `<rect${more} class="${style}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="${radius}"/>`;
}

function inset({ x, y, width, height }: Box, by: number): Box {
  return { x: x + by, y: y + by, width: width - 2 * by, height: height - 2 * by };
}

/** A way along points with its corners made round. */
function rounded(points: PlacedEdge['points']): string {
  return points
    .map((point, index) => {
      const [before, after] = [points[index - 1], points[index + 1]];
      if (before === undefined) return `M${round(point.x)},${round(point.y)}`;
      if (after === undefined) return `L${round(point.x)},${round(point.y)}`;
      const [enter, leave] = [towards(point, before), towards(point, after)];
      return `L${round(enter.x)},${round(enter.y)} Q${round(point.x)},${round(point.y)} ${round(leave.x)},${round(leave.y)}`;
    })
    .join(' ');
}

function towards(from: { x: number; y: number }, to: { x: number; y: number }): { x: number; y: number } {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const part = length === 0 ? 0 : Math.min(6, length / 2) / length;
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
