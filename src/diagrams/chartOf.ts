import type { AnyStateMachine } from 'xstate';
import { MACHINES, type MachineKind } from '../machines/index.ts';
import type { Chart } from './chart.ts';
import { foldChart } from './foldChart.ts';
import { PAGES } from './pages.ts';
import { readMachine } from './readMachine.ts';

/** The chart of one of our machines. Pure. */
export function chartOf(kind: MachineKind): Chart {
  // Charts are about any machine, so the types of this one are of no use here.
  const machine = MACHINES[kind].machine as unknown as AnyStateMachine;
  return foldChart(kind, readMachine(machine), PAGES[kind]);
}
