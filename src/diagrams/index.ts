export type { Chart } from './chart.ts';
export { chartOf } from './chartOf.ts';
export { drawInner, drawSvg } from './drawSvg.ts';
export { foldChart } from './foldChart.ts';
export { layoutChart } from './layoutChart.ts';
export { PAGES } from './pages.ts';
export { readMachine } from './readMachine.ts';
export { pageStyle } from './style.ts';
export { writeMermaid } from './writeMermaid.ts';
