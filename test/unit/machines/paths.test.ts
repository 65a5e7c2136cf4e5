import { describe, expect, test } from 'vitest';
import type { MachineKind } from '../../../src/machines/index.ts';
import { expired } from '../../support/facts.ts';
import { KINDS, machineOf, pathOf, statesBelow } from '../../support/machineNodes.ts';
import { transitionsOf, type Walk, walksOf } from '../../support/machinePaths.ts';

/** The facts with which each machine says that it is done. */
const LAST_WORDS: Readonly<Record<MachineKind, readonly string[]>> = {
  run: ['run.concluded'],
  testbed: ['testbed.removed', 'testbed.kept'],
  backend: ['backend.removed', 'backend.kept'],
  connection: ['connection.retired', 'connection.failed'],
  command: ['command.concluded'],
  reboot: ['reboot.proven', 'reboot.failed'],
};

/** What no path takes, and why it stands in the chart all the same. */
const NEVER: readonly { machine: MachineKind; name: string; reason: string }[] = [];

function exceptions(kind: MachineKind): string[] {
  return NEVER.filter(({ machine }) => machine === kind).map(({ name }) => name);
}

function armedAfter({ outputs }: Walk): Set<string> {
  const armed = new Set<string>();
  for (const output of outputs) {
    if (output.type === 'arm') armed.add(output.deadline);
    if (output.type === 'disarm' || output.type === 'deadline.expired') armed.delete(output.deadline);
  }
  return armed;
}

function told({ events, state }: Walk): string {
  const way = events.map((event) =>
    event.type === 'deadline.expired' ? `${event.type} ${event.deadline}` : event.type,
  );
  return `${way.join(', ')} > ${state}`;
}

function sinners(walks: readonly Walk[], sins: (walk: Walk) => boolean): string[] {
  return walks.filter(sins).map(told);
}

describe.each(KINDS)('ways through the %s machine', (kind) => {
  const walks = walksOf(kind);

  test('reach every state', () => {
    const entered = new Set(walks.flatMap((walk) => [...walk.entered]));
    const states = statesBelow(machineOf(kind).root).map(pathOf);
    expect(states.filter((state) => !entered.has(state))).toEqual([]);
  });

  test('take every transition, but for those of which it is written why not', () => {
    const taken = new Set(walks.flatMap((walk) => [...walk.taken]));
    expect(transitionsOf(kind).filter((name) => !taken.has(name))).toEqual(exceptions(kind));
  });

  test('end where the generator says that they end', () => {
    expect(sinners(walks, ({ expected, state }) => expected !== state)).toEqual([]);
  });

  test('leave no deadline armed when the machine is done', () => {
    expect(sinners(walks, (walk) => walk.final && armedAfter(walk).size > 0)).toEqual([]);
  });

  test('never wait for a deadline that would not be heard', () => {
    const deaf = sinners(walks, (walk) => {
      const armed = [...armedAfter(walk)];
      return !walk.final && armed.length > 0 && !armed.some((name) => walk.hears(expired(name as never)));
    });
    expect(deaf).toEqual([]);
  });

  test('end with exactly one conclusion, and nothing after it', () => {
    const wordy = sinners(walks, ({ outputs, final }) => {
      const types = outputs.map(({ type }) => type).filter((type) => type !== 'deadline.expired');
      const last = types.filter((type) => LAST_WORDS[kind].includes(type)).length;
      return final ? last !== 1 || !LAST_WORDS[kind].includes(types.at(-1) ?? '') : last > 0;
    });
    expect(wordy).toEqual([]);
  });
});
