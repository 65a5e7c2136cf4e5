export type { Chart, ChartEdge, ChartState, Line, LineKind } from './chart.ts';
export { chartOf } from './chartOf.ts';
export { drawSvg } from './drawSvg.ts';
export { type Box, type Layout, layoutChart, type PlacedEdge, type PlacedState } from './layoutChart.ts';
export { PAGES, type Page } from './pages.ts';
export { writeMermaid } from './writeMermaid.ts';
