import type { AnyStateMachine, AnyStateNode, StateValue } from 'xstate';
import { MACHINES, type MachineKind } from './machines.ts';
import { statePath } from './statePath.ts';

const KNOWN = new Map<string, ReadonlySet<string>>();

/**
 * The event types that a machine in this state does something about. Any other would leave it as it is (see IGNORES),
 * so it need not be asked: most events of a run are output of commands, of which no state makes anything. Pure.
 */
export function answersOf(kind: MachineKind, value: StateValue): ReadonlySet<string> {
  const key = `${kind}:${statePath(value)}`;
  let answers = KNOWN.get(key);
  if (answers === undefined) {
    const { root } = MACHINES[kind].machine as unknown as AnyStateMachine;
    answers = new Set(activeNodes(root, value).flatMap((node) => node.ownEvents as string[]));
    KNOWN.set(key, answers);
  }
  return answers;
}

function activeNodes(node: AnyStateNode, value: StateValue | undefined): AnyStateNode[] {
  if (value === undefined) return [node];
  const below = typeof value === 'string' ? [[value, undefined] as const] : Object.entries(value);
  return [
    node,
    ...below.flatMap(([key, rest]) => {
      const child = node.states[key];
      return child === undefined ? [] : activeNodes(child, rest);
    }),
  ];
}
