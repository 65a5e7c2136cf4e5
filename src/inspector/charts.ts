import type { Chart } from '../diagrams/index.ts';
import { chartOf, drawInner, layoutChart, PAGES } from '../diagrams/index.ts';
import type { MachineKind } from '../machines/index.ts';
import type { ChartPicture } from './contract.ts';

/** The charts of all our machines, in the order in which a person had best look at them. */
export async function ownCharts(): Promise<ChartPicture[]> {
  const pictures: ChartPicture[] = [];
  for (const kind of Object.keys(PAGES) as MachineKind[]) {
    const { title, about } = PAGES[kind];
    pictures.push(await pictureOf(chartOf(kind), title, about));
  }
  return pictures;
}

/** A chart laid out and drawn for the page, by the same engine as the pictures of diagrams/. */
export async function pictureOf(chart: Chart, title: string, about: string): Promise<ChartPicture> {
  const layout = await layoutChart(chart);
  return {
    kind: chart.name,
    title,
    about,
    width: Math.ceil(layout.width),
    height: Math.ceil(layout.height),
    svg: drawInner(layout),
    boxes: layout.states.map(({ state, x, y, width, height }) => ({ id: state.id, x, y, width, height })),
    finals: layout.states
      .filter(({ state, depth }) => state.kind === 'final' && depth === 0)
      .map(({ state }) => state.id),
  };
}
