import { type AnyStateMachine, createActor } from 'xstate';
import { DEADLINES } from '../events/index.ts';
import type { Line } from './chart.ts';
import { words } from './words.ts';

/** An action or guard as a machine's nodes hold it: by name, with parameters. */
export type Named = string | { readonly type: string; readonly params?: unknown };

/** What a list of actions does that a person wants to see. Notes that a machine only makes for itself are left out. */
export interface Effects {
  readonly lines: readonly Line[];
  /** Whether it records an event that was not expected. */
  readonly unexpected: boolean;
}

interface Emitted {
  readonly type: string;
  /** What an action is called, where nobody can say in advance what it emits. */
  readonly words?: string;
  readonly deadline?: string;
  readonly signal?: string;
}

/** Something for every field that any machine is born with. */
const SAMPLE_INPUT = {
  testbed: 'tb1',
  connection: 'c1',
  command: 'x1',
  login: 'root',
  line: 'true',
  how: 'guest',
  timeout: 1,
  sweep: true,
  generation: 0,
  maxConnections: 1,
  deadlines: {},
};

/** Says what a machine's actions and guards do, by asking the actions and guards themselves. */
export class Effectiveness {
  readonly #machine: AnyStateMachine;
  readonly #contexts: readonly unknown[];

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
    this.#contexts = [SAMPLE_INPUT, { ...SAMPLE_INPUT, sweep: false }].map(
      (input) => createActor(machine, { input }).getSnapshot().context,
    );
  }

  /** What actions do, in order. A deadline taken back is not told: it ends with its state. */
  of(actions: readonly Named[]): Effects {
    const lines: Line[] = [];
    let unexpected = false;
    for (const action of actions) {
      const emitted = this.#emittedBy(action);
      if (emitted === null) continue;
      if (emitted.type === 'event.unexpected') unexpected = true;
      else if (emitted.type !== 'disarm') lines.push(lineOf(emitted));
    }
    return { lines, unexpected };
  }

  /** The deadline that a guard waits for, and whether it asks for more than that; null for any other guard. */
  deadlineOf(guard: Named): { readonly name: string; readonly more: boolean } | null {
    const answers = this.#contexts.map((context) =>
      Object.keys(DEADLINES).find((deadline) => this.#allows(guard, context, deadline)),
    );
    const name = answers.find((answer) => answer !== undefined);
    return name === undefined ? null : { name, more: answers.includes(undefined) };
  }

  #allows(guard: Named, context: unknown, deadline: string): boolean {
    const { type, params } = named(guard);
    const implementation = this.#machine.implementations.guards[type] as unknown;
    if (typeof implementation !== 'function') return false;
    const event = { type: 'deadline.expired', seq: 0, deadline, subject: '', after: 0 };
    // A guard that is for another event says no to this one; only what names a deadline tells them apart.
    const other = implementation({ context, event: { ...event, deadline: '' } }, params) === true;
    return !other && implementation({ context, event }, params) === true;
  }

  #emittedBy(action: Named): Emitted | null {
    const { type, params } = named(action);
    const implementation = this.#machine.implementations.actions[type] as
      | { readonly type?: string; readonly event?: unknown }
      | undefined;
    if (implementation?.type === 'xstate.assign') return null;
    if (implementation?.type !== 'xstate.emit') return { type, words: words(type) };
    if (typeof implementation.event !== 'function') return implementation.event as Emitted;
    const event = { type: '', seq: 0 };
    try {
      return implementation.event({ context: this.#contexts[0], event }, params) as Emitted;
    } catch {
      // It wants an event of its own kind; its name is as good.
      return { type, words: words(type) };
    }
  }
}

function named(value: Named): { type: string; params: unknown } {
  return typeof value === 'string' ? { type: value, params: undefined } : { type: value.type, params: value.params };
}

function lineOf({ type, words: told, deadline, signal }: Emitted): Line {
  if (told !== undefined) return { kind: 'words', text: told };
  if (type === 'arm') return { kind: 'deadline', text: deadline ?? '' };
  if (type.includes('.')) return { kind: 'fact', text: type };
  return { kind: 'command', text: signal === undefined ? type : `${type} ${signal}` };
}
