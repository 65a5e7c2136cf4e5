import { expect } from 'vitest';
import { createActor } from 'xstate';
import type { Command, Deadline, EventData, EventDraft, EventType, TrundleEvent } from '../../src/events/index.ts';
import { type MachineKind, statePath } from '../../src/machines/index.ts';
import { expired, fact } from './facts.ts';
import { machineOf } from './machineNodes.ts';

/** An event of a specification: its type alone, its type with what matters of its data, or a deadline that passed. */
export type Told = EventType | TrundleEvent;

/** An event with what matters of its data. */
export function told<T extends EventType>(type: T, data: Partial<EventData<T>>): TrundleEvent<T> {
  return fact(type, data);
}

/** A deadline that passed, by its name. */
export const passed = expired;

/** What a machine made of the last event. */
export interface Then {
  readonly state: string;
  /** Names of the commands that it gave; `arm` and `disarm` stand among `deadlines`. */
  readonly commands: readonly string[];
  /** `+name` for a deadline that starts, `-name` for one taken back. */
  readonly deadlines: readonly string[];
  /** What a deadline that starts bounds it to; undefined where it does not start. */
  milliseconds(deadline: Deadline): number | undefined;
  /** Types of the facts that it told. */
  readonly facts: readonly string[];
  /** The data of the only fact of a type. */
  fact<T extends EventType>(type: T): EventDraft<T>;
}

/**
 * Specifications of one kind of machine, in the form: given these events, when this one comes, then that.
 * Events are numbered as in a trace, from 1, so that a cause can be asked for its evidence.
 */
export function specOf(kind: MachineKind, usual: object) {
  return function given(...past: readonly Told[]) {
    return {
      when: (event: Told): Then => run(kind, usual, past, event),
      /** The same for a machine that was born otherwise. */
      bornWith: (input: object) => ({ when: (event: Told): Then => run(kind, { ...usual, ...input }, past, event) }),
    };
  };
}

function run(kind: MachineKind, input: object, past: readonly Told[], event: Told): Then {
  const actor = createActor(machineOf(kind), { input });
  let outputs: (Command | EventDraft)[] = [];
  actor.on('*', (output) => outputs.push(output as Command | EventDraft));
  actor.start();
  [...past, event].forEach((each, index, all) => {
    expect(actor.getSnapshot().status, `before ${typeof each === 'string' ? each : each.type}`).toBe('active');
    if (index === all.length - 1) outputs = [];
    actor.send({ ...(typeof each === 'string' ? fact(each) : each), seq: index + 1 });
  });
  const facts = outputs.filter((output) => output.type.includes('.')) as EventDraft[];
  const commands = outputs.filter((output) => !output.type.includes('.')) as Command[];
  return {
    state: statePath(actor.getSnapshot().value),
    commands: commands.filter(({ type }) => type !== 'arm' && type !== 'disarm').map(nameOf),
    deadlines: commands.flatMap((command) =>
      command.type === 'arm' ? [`+${command.deadline}`] : command.type === 'disarm' ? [`-${command.deadline}`] : [],
    ),
    milliseconds: (deadline) =>
      commands.flatMap((command) => (command.type === 'arm' && command.deadline === deadline ? [command.ms] : []))[0],
    facts: facts.map(({ type }) => type),
    fact: <T extends EventType>(type: T) => {
      const found = facts.filter((each) => each.type === type);
      expect(found.length, `facts of type ${type}`).toBe(1);
      return found[0] as EventDraft<T>;
    },
  };
}

function nameOf(command: Command): string {
  return command.type === 'signal' ? `signal ${command.signal}` : command.type;
}
