import type { AnyStateMachine, AnyStateNode } from 'xstate';
import type { Line } from './chart.ts';
import { Effectiveness, type Effects, type Named } from './effects.ts';
import { eventName } from './foreign.ts';
import { words } from './words.ts';

/** One transition of a machine, before anything is folded. */
export interface Step {
  /** Path of the state it is written in; empty for the machine itself. */
  readonly source: string;
  /** Path of the state it leads to; null where the machine stays as it is. */
  readonly target: string | null;
  readonly kind: 'event' | 'deadline' | 'always';
  /** The event type or the deadline's name; empty for a transition that waits for nothing. */
  readonly on: string;
  /** The guard in words; empty where there is none. */
  readonly when: string;
  /** What it does that can be seen from outside. */
  readonly effects: readonly Line[];
  /** Whether it records an event that was not expected. */
  readonly unexpected: boolean;
}

/** A state of a machine, before anything is folded. */
export interface Place {
  readonly path: string;
  readonly name: string;
  readonly final: boolean;
  readonly initial: boolean;
  readonly entry: readonly Line[];
  readonly children: readonly Place[];
}

/** A machine's states and transitions, in the order they are written. */
export interface Reading {
  readonly places: readonly Place[];
  readonly steps: readonly Step[];
}

/** Says what actions do, and which deadline a guard waits for. */
export interface EffectReader {
  of(actions: readonly Named[]): Effects;
  deadlineOf(guard: Named): { readonly name: string; readonly more: boolean } | null;
}

/**
 * Reads a machine's states and transitions from the machine itself. Pure.
 * @param effectiveness asks our own machines' actions by default; those of others are not to be called
 */
export function readMachine(
  machine: AnyStateMachine,
  effectiveness: EffectReader = new Effectiveness(machine),
): Reading {
  const nodes = [machine.root, ...below(machine.root)];
  return {
    places: placesIn(machine.root, effectiveness),
    steps: nodes.flatMap((node) => stepsFrom(node, effectiveness)),
  };
}

function below(node: AnyStateNode): AnyStateNode[] {
  return Object.values(node.states).flatMap((child) => [child, ...below(child)]);
}

function pathOf(node: AnyStateNode): string {
  return node.path.join('.');
}

function placesIn(parent: AnyStateNode, effectiveness: EffectReader): Place[] {
  const first = parent.initial?.target.map((node) => node.id) ?? [];
  return Object.values(parent.states).map((node) => ({
    path: pathOf(node),
    name: node.key,
    final: node.type === 'final',
    initial: first.includes(node.id),
    entry: effectiveness.of(node.entry as readonly Named[]).lines,
    children: placesIn(node, effectiveness),
  }));
}

function stepsFrom(node: AnyStateNode, effectiveness: EffectReader): Step[] {
  const sets = [...node.transitions.values(), node.always ?? []];
  return sets.flatMap((transitions) =>
    transitions.map((transition, index) => {
      const guard = transition.guard as Named | undefined;
      const deadline = guard === undefined ? null : effectiveness.deadlineOf(guard);
      const { lines, unexpected } = effectiveness.of(transition.actions as readonly Named[]);
      const target = transition.target?.[0];
      const isDeadline = transition.eventType === 'deadline.expired' && deadline !== null;
      const always = transition.eventType === '';
      const foreign = eventName(transition.eventType);
      return {
        source: pathOf(node),
        target: target === undefined ? null : pathOf(target),
        kind: isDeadline || foreign.delay ? 'deadline' : always ? 'always' : 'event',
        on: isDeadline ? deadline.name : foreign.name,
        when: guardInWords(guard, isDeadline && !deadline.more, index),
        effects: lines,
        unexpected,
      } satisfies Step;
    }),
  );
}

function guardInWords(guard: Named | undefined, told: boolean, index: number): string {
  if (guard === undefined) return index > 0 ? 'otherwise' : '';
  if (typeof guard === 'function') return words((guard as { name: string }).name || 'a condition');
  return told ? '' : words(typeof guard === 'string' ? guard : guard.type);
}
