import { describe, expect, test } from 'vitest';
import { setup } from 'xstate';
import { foldChart } from '../../../src/diagrams/foldChart.ts';
import { type Chart, chartOf, drawSvg, layoutChart, PAGES } from '../../../src/diagrams/index.ts';
import { readMachine } from '../../../src/diagrams/readMachine.ts';
import { listOfEvents, whereOf, wrap } from '../../../src/diagrams/words.ts';
import { KINDS, machineOf, pathOf, statesBelow } from '../../support/machineNodes.ts';

const on = { 'x.stopped': 'over', 'x.lost': 'over' } as const;
/** Four states that can all be lost, and two steps of a life. */
const toy = setup({}).createMachine({
  initial: 'one',
  states: {
    one: { on: { ...on, 'a.went': 'two', 'a.ran': 'two' } },
    two: { on },
    three: { on },
    four: { on },
    over: { type: 'final' },
  },
});

function arrows(chart: Chart): string[] {
  return chart.edges.map(({ from, to, lines }) => `${from} > ${to}: ${lines.map(({ text }) => text).join('; ')}`);
}

describe('a chart of a machine', () => {
  test('has one arrow for all that leads from one state to another, and a note for what many states share', () => {
    const chart = foldChart('toy', readMachine(toy));
    expect(arrows(chart)).toEqual(['one > two: a.went, .ran', 'note-1 > over: x.stopped, .lost']);
    expect(chart.states.find(({ kind }) => kind === 'note')?.lines).toEqual([{ kind: 'words', text: 'any state' }]);
  });

  test('draws in full what a picture is about, however many states share it', () => {
    const chart = foldChart('toy', readMachine(toy), { draw: ['x.stopped', 'x.lost'] });
    expect(arrows(chart)).toContain('four > over: x.stopped, .lost');
  });

  test('tells the deadline that an arrow waits for by its name, and marks the arrow', () => {
    const edge = chartOf('reboot').edges.find(({ from, to }) => from === 'pausing' && to === 'rising');
    expect(edge).toMatchObject({ style: 'deadline', lines: [{ kind: 'deadline', text: 'redial' }] });
  });

  test('tells the commands that a state gives, and the deadline that starts', () => {
    const state = chartOf('command').states.find(({ id }) => id === 'terminating');
    expect(state?.lines).toEqual([
      { kind: 'command', text: 'signal TERM' },
      { kind: 'deadline', text: 'terminate' },
    ]);
  });
});

describe.each(KINDS)('the picture of the %s machine', (kind) => {
  test('has a place for every state and an arrow for every edge, and is the same each time', async () => {
    const chart = chartOf(kind);
    const layout = await layoutChart(chart);
    const drawn = layout.states.map(({ state }) => state.id);
    expect(
      statesBelow(machineOf(kind).root)
        .map(pathOf)
        .filter((path) => !drawn.includes(path)),
    ).toEqual([]);
    expect(
      chart.edges.filter(({ id }) => !layout.edges.some(({ edge, points }) => edge.id === id && points.length > 1)),
    ).toEqual([]);
    const { title, about } = PAGES[kind];
    expect(drawSvg(await layoutChart(chartOf(kind)), title, about)).toBe(drawSvg(layout, title, about));
  });
});

describe('words', () => {
  test('events of one noun share it', () => {
    expect(listOfEvents(['boot.completed', 'boot.failed', 'guest.panicked'])).toBe(
      'boot.completed, .failed, guest.panicked',
    );
  });

  test('states are told by name, or by those left out, whichever is shorter', () => {
    const all = ['a', 'b', 'c', 'd', 'e'];
    expect(whereOf(all, all)).toBe('any state');
    expect(whereOf(['a', 'b', 'c', 'd'], all)).toBe('any state but e');
    expect(whereOf(['a', 'b'], all)).toBe('a, b');
  });

  test('a text is broken at spaces only', () => {
    expect(wrap('one two-and-a-half three', 8)).toEqual(['one', 'two-and-a-half', 'three']);
  });
});
