import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { MACHINES, type MachineKind } from '../../src/machines/index.ts';

/** Every kind of machine there is. */
export const KINDS = Object.keys(MACHINES) as MachineKind[];

/** The machine of a kind, without its own types: for tests that walk all of them. */
export function machineOf(kind: MachineKind): AnyStateMachine {
  return MACHINES[kind].machine as unknown as AnyStateMachine;
}

/** The alphabet of a kind as plain strings. */
export function alphabetOf(kind: MachineKind): readonly string[] {
  return MACHINES[kind].alphabet;
}

/** The path of a state, as IGNORES and traces write it. */
export function pathOf(node: AnyStateNode): string {
  return node.path.join('.');
}

/** All states below a state, itself left out. */
export function statesBelow(node: AnyStateNode): AnyStateNode[] {
  return Object.values(node.states).flatMap((child) => [child, ...statesBelow(child)]);
}

/** Whether a machine never rests in a state: one of its eventless transitions has no guard. */
export function isTransient(node: AnyStateNode): boolean {
  return (node.always ?? []).some((transition) => transition.guard === undefined);
}

/** The states in which a machine waits for events: atomic, not final, not merely passed through. */
export function restingStates(kind: MachineKind): AnyStateNode[] {
  return statesBelow(machineOf(kind).root).filter((node) => node.type === 'atomic' && !isTransient(node));
}

/** What a state and its ancestors have to say about an event type, innermost first. */
export function answersTo(node: AnyStateNode, type: string): NonNullable<AnyStateNode['always']> {
  const own = node.transitions.get(type) ?? [];
  return node.parent === undefined ? own : [...own, ...answersTo(node.parent, type)];
}
