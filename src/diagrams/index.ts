export type { Chart } from './chart.ts';
export { chartOf } from './chartOf.ts';
export { drawSvg } from './drawSvg.ts';
export { layoutChart } from './layoutChart.ts';
export { PAGES } from './pages.ts';
export { writeMermaid } from './writeMermaid.ts';
