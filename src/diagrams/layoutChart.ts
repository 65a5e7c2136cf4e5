import type { ElkLabel, ElkNode } from 'elkjs/lib/elk.bundled.js';
import type { Chart, ChartEdge, ChartState, Line } from './chart.ts';
import { FONT, SIGN_WIDTH, widthOf } from './textSize.ts';

/** A rectangle in pixels, from the picture's upper left corner. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A state with its place in the picture. Outer states come before those inside them. */
export interface PlacedState extends Box {
  readonly state: ChartState;
  readonly depth: number;
}

/** An arrow with its way through the picture. */
export interface PlacedEdge {
  readonly edge: ChartEdge;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly label: Box | null;
}

/** A chart with a place for everything; how to draw it is left to whoever shows it. */
export interface Layout {
  readonly chart: Chart;
  readonly width: number;
  readonly height: number;
  readonly states: readonly PlacedState[];
  /** Where the machine and its compound states begin. */
  readonly starts: readonly Box[];
  readonly edges: readonly PlacedEdge[];
}

const PADDING = 12;
const START_SIZE = 12;
/** Options of the picture. ELK passes none of them on to what is inside a state. */
const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.edgeLabels.placement': 'CENTER',
  'elk.layered.cycleBreaking.strategy': 'MODEL_ORDER',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.nodePlacement.favorStraightEdges': 'true',
  'elk.spacing.nodeNode': '24',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '12',
  'elk.spacing.edgeLabel': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '28',
  'elk.layered.spacing.edgeNodeBetweenLayers': '16',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
  'elk.padding': '[top=16,left=16,bottom=16,right=16]',
};

/** Order by model is not for these: ELK stumbles over arrows that cross a state's border. */
const INNER_OPTIONS = {
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.spacing.nodeNode': OPTIONS['elk.spacing.nodeNode'],
  'elk.layered.spacing.nodeNodeBetweenLayers': OPTIONS['elk.layered.spacing.nodeNodeBetweenLayers'],
};

/** Gives every state and arrow of a chart a place, by ELK's layered algorithm. The same chart always looks the same. */
export async function layoutChart(chart: Chart): Promise<Layout> {
  const { createElk } = await import('./elk.ts');
  const elk = createElk();
  const first = readLayout(chart, await elk.layout(graphOf(chart, new Map())));
  // ELK makes a state as wide as what is in it. Where its own lines are wider, they get the rest on both sides.
  const room = new Map(
    first.states.map(({ state, width }) => [state.id, Math.max(0, Math.ceil((sizeOf(state).width - width) / 2))]),
  );
  if (![...room.values()].some((missing) => missing > 0)) return first;
  return readLayout(chart, await elk.layout(graphOf(chart, room)));
}

function graphOf(chart: Chart, room: ReadonlyMap<string, number>): ElkNode {
  const starts: string[] = [];
  return {
    id: '#',
    layoutOptions: OPTIONS,
    children: childrenOf(chart.states, room, starts),
    edges: [
      ...starts.map((state) => ({
        id: `${state}#begin`,
        sources: [`${state}#start`],
        targets: [state],
        layoutOptions: { 'elk.layered.priority.shortness': '20', 'elk.layered.priority.straightness': '20' },
      })),
      ...chart.order.map(([above, below]) => ({ id: `${above}#above#${below}`, sources: [above], targets: [below] })),
      ...chart.edges.map((edge) => ({
        id: edge.id,
        sources: [edge.from],
        targets: [edge.to],
        labels: edge.lines.length === 0 ? [] : [labelOf(edge)],
      })),
    ],
  };
}

function childrenOf(states: readonly ChartState[], room: ReadonlyMap<string, number>, starts: string[]): ElkNode[] {
  return states.flatMap((state) => {
    const node: ElkNode = { id: state.id, ...sizeOf(state) };
    if (state.kind === 'final') node.layoutOptions = { 'elk.layered.layering.layerConstraint': 'LAST' };
    if (state.children.length > 0) {
      const side = 14 + (room.get(state.id) ?? 0);
      node.children = childrenOf(state.children, room, starts);
      node.layoutOptions = {
        ...INNER_OPTIONS,
        'elk.padding': `[top=${sizeOf(state).height + 4},left=${side},bottom=14,right=${side}]`,
      };
    }
    if (!state.initial) return [node];
    starts.push(state.id);
    return [{ id: `${state.id}#start`, width: START_SIZE, height: START_SIZE }, node];
  });
}

function sizeOf({ name, kind, lines }: ChartState): { width: number; height: number } {
  const mark = kind === 'final' ? 18 : 0;
  const widths = [widthOf(name, FONT.name) * 1.14 + mark, ...lines.map(widthOfLine)];
  const height = (name === '' ? 0 : FONT.nameHeight) + lines.length * FONT.lineHeight;
  return { width: Math.ceil(Math.max(...widths)) + 2 * PADDING, height: height + 2 * PADDING - 4 };
}

function labelOf({ id, lines }: ChartEdge): ElkLabel {
  const width = Math.max(...lines.map(widthOfLine)) + 8;
  const layoutOptions = { 'elk.edgeLabels.inline': 'true' };
  return { text: id, width, height: lines.length * FONT.lineHeight + 2, layoutOptions };
}

function widthOfLine({ kind, text }: Line): number {
  return widthOf(text, FONT.line) + (kind === 'words' || kind === 'event' ? 0 : SIGN_WIDTH);
}

function readLayout(chart: Chart, root: ElkNode): Layout {
  const known = new Map<string, ChartState>();
  const learn = (states: readonly ChartState[]) => {
    for (const state of states) {
      known.set(state.id, state);
      learn(state.children);
    }
  };
  learn(chart.states);
  const states: PlacedState[] = [];
  const starts: Box[] = [];
  const walk = (node: ElkNode, depth: number) => {
    for (const child of node.children ?? []) {
      const state = known.get(child.id);
      if (state === undefined) starts.push(boxOf(child));
      else states.push({ state, depth, ...boxOf(child) });
      walk(child, depth + 1);
    }
  };
  walk(root, 0);
  const begin: ChartEdge = { id: '', from: '', to: '', lines: [], style: 'event' };
  const edges = (root.edges ?? [])
    .filter(({ id }) => !id.includes('#above#'))
    .map((elkEdge) => {
      const edge = chart.edges.find((each) => each.id === elkEdge.id) ?? begin;
      const points = (elkEdge.sections ?? []).flatMap(({ startPoint, bendPoints, endPoint }) => [
        startPoint,
        ...(bendPoints ?? []),
        endPoint,
      ]);
      const label = elkEdge.labels?.[0];
      return { edge, points, label: label === undefined ? null : boxOf(label) };
    });
  return { chart, width: root.width ?? 0, height: root.height ?? 0, states, starts, edges };
}

function boxOf({ x = 0, y = 0, width = 0, height = 0 }: Partial<Box>): Box {
  return { x, y, width, height };
}
