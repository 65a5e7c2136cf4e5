import type { TrundleEvent } from '../events/index.ts';
import { MACHINES, type MachineKind } from '../machines/index.ts';
import type { DecisionLine, TraceHeader, TraceLine } from '../trace/pure.ts';

/** The version of Stately's protocol that these messages are in: that of the package @statelyai/inspect. */
const VERSION = '0.7.2';

/** A message of Stately's inspector protocol, as @statelyai/inspect sends it. */
export type StatelyMessage = {
  readonly sessionId: string;
  readonly rootId: string;
  /** Milliseconds since 1970, as text. */
  readonly createdAt: string;
  readonly id: string;
  readonly _version: string;
} & (
  | {
      readonly type: '@xstate.actor';
      readonly name: string;
      readonly parentId: string | undefined;
      /** The machine's configuration in JSON. */
      readonly definition: string;
      readonly snapshot: StatelySnapshot;
    }
  | { readonly type: '@xstate.event'; readonly sourceId: string | undefined; readonly event: { readonly type: string } }
  | { readonly type: '@xstate.snapshot'; readonly event: { readonly type: string }; readonly snapshot: StatelySnapshot }
);

interface StatelySnapshot {
  readonly status: 'active' | 'done';
  readonly value: unknown;
  readonly context: Readonly<Record<string, never>>;
}

const ROOT = 'run:run';

/**
 * Tells a run in Stately's messages: each machine is an actor, each decision an event that it got and the state it was
 * in then. Contexts are not in a trace, so they are empty.
 */
export class StatelyTranslation {
  readonly #start: number;
  readonly #known = new Set<string>();
  #event: TrundleEvent | null = null;

  constructor({ started }: TraceHeader) {
    this.#start = Date.parse(started);
  }

  /** What follows from the next line of a trace. */
  messages(line: TraceLine): StatelyMessage[] {
    if ('d' in line) return this.#event === null ? [] : this.#decision(line, this.#event);
    this.#event = line;
    return [];
  }

  #decision({ d, m, s }: DecisionLine, event: TrundleEvent): StatelyMessage[] {
    const createdAt = String(Math.round(this.#start + event.at));
    const of = { sessionId: m, rootId: ROOT, createdAt, _version: VERSION };
    const kind = m.slice(0, m.indexOf(':')) as MachineKind;
    const { root, config } = MACHINES[kind].machine as unknown as {
      root: { states: Record<string, { type: string } | undefined> };
      config: object;
    };
    const done = root.states[s]?.type === 'final';
    const snapshot: StatelySnapshot = { status: done ? 'done' : 'active', value: stateValue(s), context: {} };
    const messages: StatelyMessage[] = [];
    if (!this.#known.has(m)) {
      this.#known.add(m);
      const definition = JSON.stringify(config, replacer);
      const parentId = m === ROOT ? undefined : ROOT;
      messages.push({ ...of, type: '@xstate.actor', id: `${d}.${m}.actor`, name: m, parentId, definition, snapshot });
    }
    messages.push({ ...of, type: '@xstate.event', id: `${d}.${m}.event`, sourceId: undefined, event });
    messages.push({ ...of, type: '@xstate.snapshot', id: `${d}.${m}`, event, snapshot });
    return messages;
  }
}

/** `ready.executing` as XState's value of a state. */
function stateValue(path: string): unknown {
  const [first = '', ...rest] = path.split('.');
  return rest.length === 0 ? first : { [first]: stateValue(rest.join('.')) };
}

function replacer(_key: string, value: unknown): unknown {
  return typeof value === 'function' ? { type: value.name } : value;
}
